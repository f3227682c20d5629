package benchmarks

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bearward/bearward/adapters/redisstore"
	"github.com/bearward/bearward/internal/redistest"
)

const (
	redisCallers = 64
	redisCalls   = 20_000 // of one side of one round
	redisRounds  = 7
)

// BenchmarkRedisReplay has 64 callers who present new proofs to a redis-server
// on this machine, beside what can be had without a client library: the same
// entries in bare pipelines of 32 on two connections, and one by one on 64. The
// target is 20,000 proofs a second.
func BenchmarkRedisReplay(b *testing.B) {
	server, store := newRedisReplay(b)
	var n atomic.Uint64
	first := func() { presentProofs(store, &n) }
	for name, floor := range map[string]bareRedis{"pipelined": {conns: 2, batch: 32}, "single": {conns: redisCallers, batch: 1}} {
		b.Run(name, func(b *testing.B) {
			floor.connect(b, server.Addr())
			for b.Loop() {
				var floors, firsts, ratios []float64
				for range redisRounds {
					f, p := perSecond(func() { floor.run(&n) }), perSecond(first)
					floors, firsts, ratios = append(floors, f), append(firsts, p), append(ratios, f/p)
				}
				b.ReportMetric(median(floors), "floor/s")
				b.ReportMetric(median(firsts), "first/s")
				b.ReportMetric(median(ratios), "ratio")
				b.ReportMetric(0, "ns/op")
			}
			hold(b, least("first/s", 20_000))
		})
	}
}

// BenchmarkRedisReplayLone has a single caller, whom no other may delay, beside
// a bare SET.
func BenchmarkRedisReplayLone(b *testing.B) {
	server, store := newRedisReplay(b)
	floor := bareRedis{conns: 1, batch: 1}
	floor.connect(b, server.Addr())
	var n atomic.Uint64
	for b.Loop() {
		var floors, firsts []float64
		for range redisRounds {
			const calls = 2000
			began := time.Now()
			floor.set(0, calls, &n)
			middle := time.Now()
			for range calls {
				presentProof(store, n.Add(1))
			}
			floors = append(floors, float64(middle.Sub(began))/calls)
			firsts = append(firsts, float64(time.Since(middle))/calls)
		}
		b.ReportMetric(median(floors), "floor-ns")
		b.ReportMetric(median(firsts), "first-ns")
		b.ReportMetric(0, "ns/op")
	}
}

// newRedisReplay returns a server and the store on it.
func newRedisReplay(tb testing.TB) (*redistest.Server, *redisstore.Replay) {
	tb.Helper()
	server := redistest.Start(tb)
	r, err := redisstore.Open(redisstore.Config{
		URL: server.URL(), Timeout: 5 * time.Second, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = r.Close() })
	return server, r.Replay()
}

func perSecond(f func()) float64 {
	began := time.Now()
	f()
	return redisCalls / time.Since(began).Seconds()
}

// presentProofs has all callers share the calls.
func presentProofs(store *redisstore.Replay, n *atomic.Uint64) {
	var wg sync.WaitGroup
	var left atomic.Int64
	left.Store(redisCalls)
	for range redisCallers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				presentProof(store, n.Add(1))
			}
		})
	}
	wg.Wait()
}

func presentProof(store *redisstore.Replay, n uint64) {
	var id [32]byte
	binary.BigEndian.PutUint64(id[:], n)
	first, err := store.First(context.Background(), [32]byte{1}, id, time.Now().Add(time.Minute))
	if !first || err != nil {
		panic(fmt.Sprint("a new proof is refused: ", err))
	}
}

// bareRedis writes entries as they are and reads that they were taken.
type bareRedis struct {
	conns, batch int
	open         []net.Conn
	replies      []*bufio.Reader
}

func (r *bareRedis) connect(tb testing.TB, address string) {
	tb.Helper()
	for range r.conns {
		c, err := net.Dial("tcp", address)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { _ = c.Close() })
		r.open, r.replies = append(r.open, c), append(r.replies, bufio.NewReader(c))
	}
}

func (r *bareRedis) run(n *atomic.Uint64) {
	var wg sync.WaitGroup
	for i := range r.open {
		wg.Go(func() { r.set(i, redisCalls/r.conns, n) })
	}
	wg.Wait()
}

// set makes the calls on one connection.
func (r *bareRedis) set(conn, calls int, n *atomic.Uint64) {
	var id [32]byte
	var out []byte
	for calls > 0 {
		batch := min(calls, r.batch)
		calls -= batch
		out = out[:0]
		for range batch {
			binary.BigEndian.PutUint64(id[:], n.Add(1))
			out = append(out, "*6\r\n$3\r\nSET\r\n$54\r\nbearward:f:"...)
			out = base64.RawURLEncoding.AppendEncode(out, id[:])
			out = append(out, "\r\n$1\r\n1\r\n$2\r\nNX\r\n$2\r\nPX\r\n$5\r\n90000\r\n"...)
		}
		if _, err := r.open[conn].Write(out); err != nil {
			panic(err)
		}
		for range batch {
			if line, err := r.replies[conn].ReadString('\n'); err != nil || line != "+OK\r\n" {
				panic(fmt.Sprint("an entry is refused: ", line, err))
			}
		}
	}
}
