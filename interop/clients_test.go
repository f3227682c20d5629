package interop

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// clients is a running client.mjs. Its methods belong to one goroutine.
type clients struct {
	t      testing.TB
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr *bytes.Buffer
}

// command is what a client has to do: see client.mjs.
type command struct {
	Do          string `json:"do"`
	Library     string `json:"library"`
	Issuer      string `json:"issuer"`
	Client      string `json:"client"`
	Key         string `json:"key,omitempty"`
	Certificate string `json:"certificate,omitempty"`
	Skew        int    `json:"skew"`

	Resource string `json:"resource,omitempty"`
	Scope    string `json:"scope,omitempty"`

	Token  string  `json:"token,omitempty"`
	URL    string  `json:"url,omitempty"`
	Method string  `json:"method,omitempty"`
	Meddle *meddle `json:"meddle,omitempty"`
}

// meddle is what somebody does to a request on its way.
type meddle struct {
	URL    string `json:"url,omitempty"`
	Method string `json:"method,omitempty"`
	Again  bool   `json:"again,omitempty"`
}

// reply is what became of a command.
type reply struct {
	Token      string
	Status     int
	Body       string
	Challenges []challenge
	Nonces     []string
	Error      string
}

// challenge is one as a library read it: names in lower case.
type challenge struct {
	Scheme     string
	Parameters map[string]string
}

// startClients starts the program with client certificates by name, and ends it
// with the test. It trusts the server's certificate.
func startClients(t testing.TB, server identity, own map[string]identity) *clients {
	t.Helper()
	requireServer(t)
	type pair struct {
		Cert string `json:"cert"`
		Key  string `json:"key"`
	}
	certificates := map[string]pair{}
	for name, i := range own {
		certificate, key := i.pem(t)
		certificates[name] = pair{certificate, key}
	}
	ca, _ := server.pem(t)
	raw, err := json.Marshal(map[string]any{"ca": ca, "certificates": certificates})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "identities.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	c := &clients{t: t, stderr: new(bytes.Buffer)}
	cmd := exec.Command("node", "client.mjs", path)
	cmd.Dir = serverDir
	cmd.Stderr = c.stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.stdin, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	c.stdout = bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.stdin.Close()
		_ = cmd.Wait()
	})
	return c
}

func (c *clients) do(cmd command) (r reply) {
	c.t.Helper()
	raw, err := json.Marshal(cmd)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.stdin.Write(append(raw, '\n')); err != nil {
		c.t.Fatalf("%v\n%s", err, c.stderr)
	}
	line, err := c.stdout.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &r)
	}
	if err != nil || r.Error != "" {
		c.t.Fatalf("%+v: %v %s\n%s", cmd, err, r.Error, c.stderr)
	}
	return r
}
