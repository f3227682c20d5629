package redisstore

import (
	"errors"
	"testing"

	"github.com/bearward/bearward/internal/redistest"
)

func TestSettings(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want Settings
	}{
		"as it comes":      {nil, Settings{Told: true, Policy: "noeviction"}},
		"evicts":           {[]string{"--maxmemory-policy", "allkeys-lru"}, Settings{Told: true, Policy: "allkeys-lru"}},
		"keeps":            {[]string{"--appendonly", "yes", "--save", "60 1"}, Settings{Told: true, Policy: "noeviction", AppendOnly: true, Snapshots: true}},
		"tells nothing":    {[]string{"--rename-command", "CONFIG", ""}, Settings{}},
		"wants a password": {[]string{"--requirepass", "x"}, Settings{}},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t, c.args...)
			r, err := Open(Config{URL: server.URL()})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			got, err := r.Settings(t.Context())
			var outage *Outage
			if refused := name == "wants a password"; got != c.want || refused != (err != nil) || refused && !errors.As(err, &outage) {
				t.Errorf("got %+v, %v", got, err)
			}
			if keys, err := r.client.DBSize(t.Context()).Result(); err == nil && keys != 0 {
				t.Errorf("%d keys were written", keys)
			}
		})
	}
}
