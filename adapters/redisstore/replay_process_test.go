package redisstore_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bearward/bearward/adapters/redisstore"
	"github.com/bearward/bearward/internal/redistest"
)

const (
	present   = "BEARWARD_TEST_PRESENT" // names a Redis to a process that presents proofs there
	processes = 4
	presented = 300
)

// presentAll is the other process: 16 callers present the same proofs once its
// standard input says so. It prints those that were the first.
func presentAll(url string) {
	r, err := redisstore.Open(redisstore.Config{URL: url, Timeout: 5 * time.Second})
	if err != nil {
		panic(err)
	}
	defer r.Close()
	if err := r.Ping(context.Background()); err != nil {
		panic(err)
	}
	fmt.Println("ready")
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for n := range presented {
				first, err := r.Replay().First(context.Background(), someone, proof(n), time.Now().Add(time.Minute))
				if err != nil {
					panic(err)
				}
				if first {
					fmt.Println(n)
				}
			}
		})
	}
	wg.Wait()
}

// Several processes present the same proofs at once: each passes once in total,
// and not again in a process that is started later.
func TestReplayProcesses(t *testing.T) { // [DP-20 DP-21]
	server := redistest.Start(t)
	firsts := map[string]int{}
	run := func(processes int) {
		all := make([]*other, processes)
		for i := range all {
			all[i] = start(t, server.URL())
		}
		for _, p := range all {
			p.wantLine(t, "ready")
		}
		for _, p := range all {
			must(t, p.in.Close())
		}
		for _, p := range all {
			for p.out.Scan() {
				firsts[p.out.Text()]++
			}
			must(t, p.cmd.Wait())
		}
	}
	run(processes)
	run(1)
	for n := range presented {
		if got := firsts[strconv.Itoa(n)]; got != 1 {
			t.Errorf("proof %d was the first %d times", n, got)
		}
	}
	if len(firsts) != presented {
		t.Errorf("%v", firsts)
	}
}

// other is another process of this test's program.
type other struct {
	cmd *exec.Cmd
	in  interface{ Close() error }
	out *bufio.Scanner
}

func start(t *testing.T, url string) *other {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	p := &other{cmd: exec.CommandContext(t.Context(), self)}
	p.cmd.Env = append(os.Environ(), present+"="+url)
	var said strings.Builder
	p.cmd.Stderr = &said
	p.in, err = p.cmd.StdinPipe()
	must(t, err)
	out, err := p.cmd.StdoutPipe()
	must(t, err)
	p.out = bufio.NewScanner(out)
	must(t, p.cmd.Start())
	t.Cleanup(func() {
		if t.Failed() && said.Len() > 0 {
			t.Log(said.String())
		}
	})
	return p
}

func (p *other) wantLine(t *testing.T, want string) {
	t.Helper()
	if !p.out.Scan() || p.out.Text() != want {
		t.Fatalf("the other process says %q, want %q", p.out.Text(), want)
	}
}
