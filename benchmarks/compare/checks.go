package main

import (
	"context"
	"fmt"
	"time"
)

// flaws are the ways in which a token differs from the good one; its signature is
// good but for the first.
var flaws = []struct {
	name  string
	other map[string]any
}{
	{"signature", nil},
	{"exp", map[string]any{"exp": from(-time.Hour), "nbf": from(-2 * time.Hour), "iat": from(-2 * time.Hour)}},
	{"nbf", map[string]any{"nbf": from(30 * time.Minute)}},
	{"iss", map[string]any{"iss": "https://other.example.test"}},
	{"aud", map[string]any{"aud": []string{"https://other.example.test", "https://third.example.test"}}},
}

func from(d time.Duration) int64 { return time.Now().Add(d).Unix() }

// check lets a library judge the good token, which it has to accept, and one with
// each flaw, and returns which of them it refuses.
func check(ctx context.Context, l library, s *scene) ([]bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	verify, err := l.full(ctx, s.target)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.name, err)
	}
	got, err := verify(ctx, s.good)
	if err != nil {
		return nil, fmt.Errorf("%s refuses the good %s token: %w", l.name, s.algorithm, err)
	}
	if want := (grant{subject, "client-1"}); l.verify != nil && got != want {
		return nil, fmt.Errorf("%s makes %+v of the good token, want %+v", l.name, got, want)
	}
	refuses := make([]bool, len(flaws))
	for i, f := range flaws {
		raw := s.forged()
		if f.other != nil {
			if raw, err = s.sign(nil, f.other); err != nil {
				return nil, err
			}
		}
		_, err := verify(ctx, raw)
		refuses[i] = err != nil
	}
	return refuses, nil
}

func checks(ctx context.Context, s *scene) (table, error) {
	t := table{head: []string{"Library"}}
	for _, f := range flaws {
		t.head = append(t.head, f.name)
	}
	for _, l := range libraries {
		refuses, err := check(ctx, l, s)
		if err != nil {
			return t, err
		}
		row := []string{l.name}
		for _, yes := range refuses {
			row = append(row, map[bool]string{true: "checked", false: "not checked"}[yes])
		}
		t.rows = append(t.rows, row)
	}
	return t, nil
}
