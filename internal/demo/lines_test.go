package demo

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

// The form of a case is relied on by whoever executes the lines.
func TestPrint(t *testing.T) {
	d := start(t, Options{Free: true})
	var out bytes.Buffer
	if err := d.Print(&out, "bearward"); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	status := regexp.MustCompile(`^# (grpc \d{1,2}|\d{3}) \S.*$`)
	command := regexp.MustCompile(`^(T=\$\(curl -s '[^']*'\); .*)?(curl -i |bearward call --addr ).*127\.0\.0\.1:\d+`)
	cases := 0
	for i, line := range lines {
		if !strings.HasPrefix(line, "# ") {
			continue
		}
		cases++
		if !status.MatchString(line) || !command.MatchString(lines[i+1]) {
			t.Errorf("%s\n%s", line, lines[i+1])
		}
		if strings.HasPrefix(line, "# grpc") != strings.HasPrefix(lines[i+1], "bearward call") {
			t.Errorf("%s\n%s", line, lines[i+1])
		}
		if strings.Contains(lines[i+1], tokenPlace) || strings.Contains(lines[i+1], proofPlace) || len(lines[i+1]) > 600 {
			t.Errorf("not to be copied: %s", lines[i+1])
		}
	}
	want := 0
	for _, section := range Sections() {
		want += len(section.Cases)
	}
	if cases != want || cases < 80 {
		t.Errorf("%d cases printed of %d", cases, want)
	}
	for _, part := range []string{d.HTTP, d.Gin, d.GRPC, d.Issuer, d.Stranger, d.Control, d.TLS, "Ctrl-C", "bearward token --dpop", "bearward explain"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%s is not named", part)
		}
	}
}

func TestCommand(t *testing.T) {
	s := State{
		HTTP: "http://127.0.0.1:1", Gin: "http://127.0.0.1:2", GRPC: "127.0.0.1:3", Issuer: "http://127.0.0.1:4",
		Stranger: "http://127.0.0.1:5", Control: "http://127.0.0.1:6", TLS: "https://127.0.0.1:7", JKT: "K", X5T: "C", Files: "/a b",
	}
	const (
		token = `$(curl -s 'http://127.0.0.1:4/token?scope=orders:read`
		set   = `T=` + token + `&jkt=K'); `
	)
	for _, test := range []struct {
		c    Case
		want string
	}{
		{Case{Call: "GET /a"}, `curl -i http://127.0.0.1:1/a`},
		{Case{On: Control, Call: "POST /a"}, `curl -i -X POST http://127.0.0.1:6/a`},
		{Case{On: Gin, Call: "GET /a", Header: bearer, Token: kind("expired")}, `curl -i -H "Authorization: Bearer $(curl -s 'http://127.0.0.1:4/token?kind=expired&scope=orders:read')" http://127.0.0.1:2/a`},
		{Case{Call: "GET /a?access_token={token}", Token: Token{Stranger: true}}, `curl -i "http://127.0.0.1:1/a?access_token=$(curl -s 'http://127.0.0.1:5/token')"`},
		{Case{On: GRPC, Call: "/s/M stream", Header: bearer, Token: read}, `self call --addr 127.0.0.1:3 --token "` + token + `')" --stream /s/M`},
		{Case{On: GRPC, Call: "/s/M"}, `self call --addr 127.0.0.1:3 /s/M`},
		{Case{On: GRPC, Call: "/s/M", Header: byDPoP, Token: bound}, `self call --addr 127.0.0.1:3 --dpop --token "` + token + `&jkt=K')" /s/M`},
		{
			Case{Call: "POST /a", Header: byDPoP, Token: proof("other-key")},
			set + `curl -i -X POST -H "Authorization: DPoP $T" -H "DPoP: $(self proof --method POST --url http://127.0.0.1:1/a --token "$T" --kind other-key)" http://127.0.0.1:1/a`,
		},
		{
			Case{Call: "GET /a", Header: byDPoP, Token: Token{Scope: "orders:read", OfKey: true, Proof: Proof{Again: true}}},
			set + `P=$(self proof --url http://127.0.0.1:1/a --token "$T"); curl -s -o /dev/null -H "Authorization: DPoP $T" -H "DPoP: $P" http://127.0.0.1:1/a; curl -i -H "Authorization: DPoP $T" -H "DPoP: $P" http://127.0.0.1:1/a`,
		},
		{
			Case{Call: "GET /a", Header: byDPoP, Token: Token{Scope: "orders:read", OfKey: true, Proof: Proof{Nonce: true}}},
			set + `N=$(curl -s -i -H "Authorization: DPoP $T" -H "DPoP: $(self proof --url http://127.0.0.1:1/a --token "$T")" http://127.0.0.1:1/a | tr -d '\r' | sed -n 's/^Dpop-Nonce: //p'); curl -i -H "Authorization: DPoP $T" -H "DPoP: $(self proof --url http://127.0.0.1:1/a --token "$T" --nonce "$N")" http://127.0.0.1:1/a`,
		},
		{
			Case{On: TLS, Call: "GET /a", Header: bearer, Token: shown("other")},
			`curl -i --cacert '/a b/server-7.pem' --cert '/a b/other-7.pem' -H "Authorization: Bearer ` + token + `&x5t=C')" https://127.0.0.1:7/a`,
		},
	} {
		if got := s.Command(test.c, "self"); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

func TestQuote(t *testing.T) {
	for text, want := range map[string]string{"/a/b-1.pem": "/a/b-1.pem", "": "''", "a b": "'a b'", "it's $x": `'it'\''s $x'`} {
		if got := Quote(text); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
}
