package main

import (
	"fmt"
	"strings"

	"github.com/bearward/bearward/internal/doctor"
	"github.com/bearward/bearward/internal/stuck"
)

const stuckHead = `# Troubleshooting

Made by ` + "`go run ./internal/tools/docs`" + ` from the lists in internal/stuck and
internal/doctor; tests reproduce each row and keep this page up to date.

- A token is refused: ` + "`bearward explain --config FILE --request 'GET /orders' TOKEN`" + `
  (` + "`Guard.Explain`" + ` in a program) goes on to the end where the server stops, and says
  how to fix each rule that failed. It exits with 0 if the token passes, 1 if not, 2
  for a mistake on the command line or in the file.
- Anything else: ` + "`bearward doctor --config FILE`" + ` looks at everything around the API by
  the same file, and ` + "`--via URL`" + ` at the proxy in front. It exits with 0 if there is no
  error (warnings are allowed), 1 if there is one, 2 for a mistake on the command line.
- Every code of a refusal: [errors.md](errors.md). How it runs: [operations.md](operations.md).

## What people get stuck on

| what happens | what says so | the way out |
| --- | --- | --- |
`

const kindsHead = `
## What doctor finds

` + "`--json`" + ` prints ` + "`errors`, `warnings` and `findings`" + `; each finding has ` + "`name`, `severity`, `about`, `found`" + `
and ` + "`fix`" + `. Names are stable, texts are for people. Calls obey the rules of the server
itself (https, no private addresses unless allowed, no redirects), end by ` + "`--timeout`" + `
(10 s), and write nothing. Credentials of introspection are tried with a made-up token.
Nothing that is sent through ` + "`--via`" + ` has a valid token; how it tells what happened inside
is in [adr/0021](adr/0021-proxies-are-judged-from-outside.md).

| name | severity | what was found | fix |
| --- | --- | --- | --- |
`

var speakers = map[stuck.Speaker]string{
	stuck.Explain: "`bearward explain`", stuck.Doctor: "`bearward doctor`", stuck.Start: "`bearward serve`, `bearward.New`", stuck.Log: "the log", stuck.Docs: "this page",
}

// troubleshooting writes docs/troubleshooting.md.
func troubleshooting(string) (string, error) {
	var b strings.Builder
	b.WriteString(stuckHead)
	for _, e := range stuck.Entries {
		by, ok := speakers[e.By]
		if !ok {
			return "", fmt.Errorf("nobody is %q", e.By)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", cell(e.Name), by, cell(e.Line))
	}
	b.WriteString(kindsHead)
	for _, k := range doctor.Kinds() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.Name, k.Severity, cell(k.Found), cell(k.Fix))
	}
	return b.String(), nil
}

// cell writes a text into a table: what looks like HTML or ends a cell is none.
func cell(s string) string {
	if s == "" {
		return "-"
	}
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "{path}", "issuers[N].", "*", `\*`).Replace(s)
}
