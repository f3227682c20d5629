package main

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bearward/bearward/benchmarks/load/drive"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestRun makes a small run of everything. That it ends without an error means
// that every answer was right.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("wrk takes whole seconds")
	}
	out := filepath.Join(t.TempDir(), "RESULTS.md")
	err := run(t.Context(), []string{
		"-rounds", "1", "-time", "100ms", "-tokens", "20", "-clients", "3", "-proofs", "50", "-connections", "4", "-alg", "ES256", "-out", out,
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{"| none | ": 3, "| floor | ": 2, "| cached | ": 2, "| uncached | ": 2, "| dpop | ": 1}
	if wrkVersion(t.Context()) != "" {
		rows = map[string]int{"| none | ": 5, "| floor | ": 4, "| cached | ": 4, "| uncached | ": 4, "| dpop | ": 1}
	}
	for row, want := range rows {
		if got := strings.Count(string(text), "\n"+row); got != want {
			t.Errorf("%d rows %s, want %d", got, row, want)
		}
	}
	for _, part := range []string{"\n- commit ", "\n- `go run ./benchmarks/load -rounds 1 ", "| >= 0.97 |", "| >= 0.90 |", "One raw check"} {
		if !strings.Contains(string(text), part) {
			t.Errorf("no %q in the results", part)
		}
	}
	if t.Failed() {
		t.Logf("%s", text)
	}
}

// TestEnds: neither a server that does not start nor a limit leaves anything
// behind.
func TestEnds(t *testing.T) {
	small := []string{"-time", "100ms", "-tokens", "2", "-clients", "1", "-proofs", "5", "-out", ""}
	for name, more := range map[string][]string{
		"limit":           {"-limit", "1ms"},
		"no such server":  {"-rival", "other=no-such-binary"},
		"not a server":    {"-rival", "other=go"},
		"the same name":   {"-rival", "cached=go"},
		"rounds":          {"-rounds", "0"},
		"connections":     {"-connections", "-1"},
		"arguments":       {"x"},
		"rival":           {"-rival", "other"},
		"algorithm":       {"-alg", "HS256"},
		"time":            {"-time", "0s"},
		"no such setting": {"-x"},
	} {
		if err := run(t.Context(), append(small, more...)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestRight(t *testing.T) {
	for want, statuses := range map[bool][]map[int]uint64{true: {{200: 5}}, false: {{}, {401: 5}, {200: 5, 401: 1}}} {
		for _, s := range statuses {
			if _, err := right(&drive.Result{Statuses: s}, nil); (err == nil) != want {
				t.Errorf("%v: %v", s, err)
			}
		}
	}
	if _, err := right(nil, flag.ErrHelp); !errors.Is(err, flag.ErrHelp) {
		t.Error(err)
	}
}

func TestStat(t *testing.T) {
	const right = "4711 (a) (b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0"
	if d, err := parseStat(right); d != 3*time.Second || err != nil {
		t.Errorf("%v, %v", d, err)
	}
	for _, wrong := range []string{"", "4711 (a) S 1 2", "1 (a) S 1 2 3 4 5 6 7 8 9 10 x 5 0", "1 (a) S 1 2 3 4 5 6 7 8 9 10 5 -5 0"} {
		if d, err := parseStat(wrong); err == nil {
			t.Errorf("%q: %v", wrong, d)
		}
	}
}

func TestWrk(t *testing.T) {
	s, n, err := parseWrk("Running 4s test\n\nresult 4000 2000000 0 0 1 2 3 4 5000\n")
	want := sample{rate: 2000, p50: 1000, p90: 2000, p99: 3000, p999: 4000, max: 5 * time.Millisecond}
	if s != want || n != 4000 || err != nil {
		t.Errorf("%+v, %d, %v", s, n, err)
	}
	for _, wrong := range []string{
		"", "\nresult", "\nresult 0 2000000 0 0 1 2 3 4 5\n", "\nresult 1 0 0 0 1 2 3 4 5\n", "\nresult 1 1 1 0 1 2 3 4 5\n",
		"\nresult 1 1 0 1 1 2 3 4 5\n", "\nresult 1 1 0 0 1 2 3 4 x\n", "\nresult 1 1 0 0 1 2 3 4\n",
	} {
		if _, _, err := parseWrk(wrong); err == nil {
			t.Errorf("%q: no error", wrong)
		}
	}
}

// FuzzForeign wants no panic whatever wrk and the kernel write.
func FuzzForeign(f *testing.F) {
	f.Add("\nresult 4000 2000000 0 0 1 2 3 4 5000\n")
	f.Add("4711 (a) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0")
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := parseStat(text); err == nil && d < 0 {
			t.Errorf("a CPU time of %v", d)
		}
		if s, n, err := parseWrk(text); err == nil && (n == 0 || s.rate <= 0 || s.max < 0) {
			t.Errorf("%+v, %d", s, n)
		}
	})
}
