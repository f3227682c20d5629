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
	command := regexp.MustCompile(`^(curl -i |bearward call --addr ).*(http://)?127\.0\.0\.1:\d+`)
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
		if strings.Contains(lines[i+1], placeholder) || len(lines[i+1]) > 300 {
			t.Errorf("not to be copied: %s", lines[i+1])
		}
	}
	want := 0
	for _, section := range Sections() {
		want += len(section.Cases)
	}
	if cases != want || cases < 40 {
		t.Errorf("%d cases printed of %d", cases, want)
	}
	for _, part := range []string{d.HTTP, d.Gin, d.GRPC, d.Issuer, d.Stranger, d.Control, "Ctrl-C", "bearward explain"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%s is not named", part)
		}
	}
}

func TestCommand(t *testing.T) {
	s := State{HTTP: "http://127.0.0.1:1", Gin: "http://127.0.0.1:2", GRPC: "127.0.0.1:3", Issuer: "http://127.0.0.1:4", Stranger: "http://127.0.0.1:5", Control: "http://127.0.0.1:6"}
	for _, test := range []struct {
		c    Case
		want string
	}{
		{Case{Call: "GET /a"}, `curl -i http://127.0.0.1:1/a`},
		{Case{On: Control, Call: "POST /a"}, `curl -i -X POST http://127.0.0.1:6/a`},
		{Case{On: Gin, Call: "GET /a", Header: bearer, Token: kind("expired")}, `curl -i -H "Authorization: Bearer $(curl -s 'http://127.0.0.1:4/token?kind=expired&scope=orders:read')" http://127.0.0.1:2/a`},
		{Case{Call: "GET /a?access_token={token}", Token: Token{Stranger: true}}, `curl -i "http://127.0.0.1:1/a?access_token=$(curl -s 'http://127.0.0.1:5/token')"`},
		{Case{On: GRPC, Call: "/s/M stream", Header: bearer, Token: read}, `self call --addr 127.0.0.1:3 --token "$(curl -s 'http://127.0.0.1:4/token?scope=orders:read')" --stream /s/M`},
		{Case{On: GRPC, Call: "/s/M"}, `self call --addr 127.0.0.1:3 /s/M`},
	} {
		if got := s.Command(test.c, "self"); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}
