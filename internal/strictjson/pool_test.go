package strictjson_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/bearward/bearward/internal/strictjson"
)

// TestPooledReaders: what a Reader returned stays as it was, whatever later
// readers of the pool read, and a walk that was left in the middle, failed or
// never began leaves nothing behind.
func TestPooledReaders(t *testing.T) {
	var all sync.WaitGroup
	for n := range 64 {
		all.Go(func() {
			var kept, want []string
			for i := range 200 {
				mark := fmt.Sprintf("%d-%d-%s", n, i, strings.Repeat("x", i))
				r := strictjson.Open(`{"plain":"` + mark + `","escaped":"\u0061` + mark + `","list":["` + mark + `"],"raw":["` + mark + `"],"n":1}`)
				for name, ok := r.Next(); ok; name, ok = r.Next() {
					switch string(name) {
					case "plain", "escaped":
						kept = append(kept, r.Text())
					case "list":
						kept = append(kept, r.Texts()...)
					case "raw":
						kept = append(kept, r.Raw())
					default:
						r.Skip()
					}
				}
				if r.Err() != nil {
					t.Error(r.Err())
				}
				r.Close()
				want = append(want, mark, "a"+mark, mark, `["`+mark+`"]`)

				left := strictjson.Open(`{"a":{"b":[1,2,"` + mark + `"]},"c":1}`)
				if i%2 == 0 {
					left.Next()
				}
				if i%3 == 0 {
					left.Next() // without having read the value
				}
				left.Close()
				for _, bad := range []string{"", "[", `{"a"`, `{"a":"\ud800"}`, `{"a":1,"a":2}`, strings.Repeat("[", 100), strings.Repeat(`{"a":`, 20) + "\x00", "{}{}"} {
					if strictjson.Check(bad) == nil {
						t.Errorf("accepted %q", bad)
					}
				}
			}
			for i := range kept {
				if kept[i] != want[i] {
					t.Fatalf("%d: %q, want %q", i, kept[i], want[i])
				}
			}
		})
	}
	all.Wait()
}
