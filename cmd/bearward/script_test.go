package main

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// commands are what the scripts use beside testscript's own.
var commands = map[string]func(*testscript.TestScript, bool, []string){
	"code": code,
	"mint": mint,
	"file": mintFile,

	"withdraw": withdraw,

	"prove":  proveIt,
	"save":   save,
	"append": appendLine,
	"nonce":  nonce,
}

// code N PROGRAM ARGS runs the program and demands exit code N.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N PROGRAM ARGS")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, not %d", got, want)
	}
}

// mint NAME FLAGS puts a token into the variable.
func mint(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("bearward", append([]string{"token"}, args[1:]...)...))
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// file NAME FLAGS writes a token and a line end into the file.
func mintFile(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("bearward", append([]string{"token"}, args[1:]...)...))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(ts.ReadFile("stdout")), 0o600))
}

// prove NAME FLAGS puts a proof into the variable.
func proveIt(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("bearward", append([]string{"proof"}, args[1:]...)...))
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// save FILE TEXT writes the text and a line end into the file.
func save(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(args[1]+"\n"), 0o600))
}

// append FILE TEXT adds the text and a line end to the file.
func appendLine(ts *testscript.TestScript, _ bool, args []string) {
	before := ts.ReadFile(args[0])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(before+args[1]+"\n"), 0o600))
}

// nonce NAME METHOD URL TOKEN PROOF puts the nonce of the answer into the
// variable.
func nonce(ts *testscript.TestScript, _ bool, args []string) {
	r, err := http.NewRequest(args[1], args[2], nil)
	ts.Check(err)
	r.Header.Set("Authorization", "DPoP "+args[3])
	r.Header.Set("DPoP", args[4])
	resp, err := http.DefaultClient.Do(r)
	ts.Check(err)
	ts.Check(resp.Body.Close())
	ts.Setenv(args[0], resp.Header.Get("DPoP-Nonce"))
}

// withdraw TOKEN revokes it at the demo's issuer.
func withdraw(ts *testscript.TestScript, _ bool, args []string) {
	resp, err := http.PostForm(ts.Getenv("ISSUER")+"/revoke", url.Values{
		"token": args, "client_id": {"orders-api"}, "client_secret": {"demo: not secret"},
	})
	ts.Check(err)
	ts.Check(resp.Body.Close())
	if resp.StatusCode != http.StatusOK {
		ts.Fatalf("the issuer says %s", resp.Status)
	}
}
