package redisstore

import (
	"errors"
	"testing"
)

// Whoever starts with a Redis that does not run is told so.
func TestUnreachable(t *testing.T) {
	r, err := Open(Config{URL: "redis://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	err = r.Ping(t.Context())
	if err == nil || err.Error() != "redis cannot be reached" || errors.Is(err, ErrEvicts) {
		t.Errorf("got %v", err)
	}
	if !errors.Is(&Outage{text: errEvicts}, ErrEvicts) {
		t.Error("the reason is not told")
	}
}
