package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/bearward/bearward/benchmarks/machine"
)

const output = `goos: linux
BenchmarkValidate/RS256-2         	       1	        16.00 allocs	        16.00 allocs:most	     29790 cpu-ns	     25650 floor-cpu-ns	         1.149 ratio	         1.100 ratio:most	     30000 wall-ns
BenchmarkCores/one-token-2        	       1	         0.9500 ratio	         0.9000 ratio:least	         1.9 scaling
BenchmarkTokens 	       1	       200.0 B/token	       256.0 B/token:most
--- BENCH: BenchmarkX
PASS
`

func TestTable(t *testing.T) {
	var text bytes.Buffer
	o := options{}
	o.write(t.Context(), &text, machine.Machine{}, o.command(), parse(output))
	for _, want := range []string{
		"| Validate/RS256 | 25650 | 29790 | 30000 | 1.149 | 16 | allocs ≤ 16, **ratio ≤ 1.100** | missed |  |\n",
		"| Cores/one-token |  |  |  | 0.950 |  | ratio ≥ 0.900 | met | scaling 1.900 |\n",
		"| Tokens |  |  |  |  |  | B/token 200 ≤ 256 | met |  |\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no line %q in\n%s", want, text.String())
		}
	}
	if n := strings.Count(text.String(), "\n| "); n != 5 {
		t.Errorf("%d lines of the table, want 5", n)
	}
}
