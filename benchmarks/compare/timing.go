package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"

	"github.com/bearward/bearward/benchmarks/rounds"
)

var algorithms = []string{"RS256", "ES256", "EdDSA"}

// side is a row of a table of costs.
type side struct {
	name string
	run  func()
}

// again calls a verifier with one token.
func again(ctx context.Context, name string, v verifier, raw string) side {
	return side{name, func() {
		if _, err := v(ctx, raw); err != nil {
			panic(name + ": " + err.Error())
		}
	}}
}

// served sends one request through a middleware, without a socket. The token is
// put back each time, because some take it out.
func served(ctx context.Context, name string, p protector, raw string) side {
	count := 0
	handler := p(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { count++ }))
	r, w := newRequest(ctx, raw), httptest.NewRecorder()
	values := r.Header["Authorization"]
	return side{name, func() {
		r.Header["Authorization"] = values
		before := count
		handler.ServeHTTP(w, r)
		if count != before+1 {
			panic(name + ": the request was refused")
		}
	}}
}

// uncached is the whole judgement of one token by all that have one.
func uncached(ctx context.Context, s *scene) ([]side, error) {
	floor, err := rawFloor(s)
	if err != nil {
		return nil, err
	}
	sides := []side{{"floor: SHA-256 and the bare signature check", floor}}
	for _, l := range libraries {
		switch {
		case l.verify != nil:
			v, err := l.verify(ctx, s.target)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", l.name, err)
			}
			sides = append(sides, again(ctx, l.name, v, s.good))
		case l.recall == nil:
			p, err := l.protect(ctx, s.target)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", l.name, err)
			}
			sides = append(sides, served(ctx, l.name+", through net/http", p, s.good))
		}
	}
	return sides, nil
}

// lookups is a token that the cache knows.
func lookups(ctx context.Context, s *scene) ([]side, error) {
	sides := []side{{"floor: SHA-256 and the time", digestFloor(s)}}
	for _, l := range libraries {
		if l.recall == nil {
			continue
		}
		v, err := l.recall(ctx, s.target)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
		sides = append(sides, again(ctx, l.name, v, s.good))
	}
	return sides, nil
}

// requests is the same token with every request.
func requests(ctx context.Context, s *scene) ([]side, error) {
	sides := []side{served(ctx, "floor: context and copy of the request", copyFloor, s.good)}
	for _, l := range libraries {
		if l.protect == nil {
			continue
		}
		p, err := l.protect(ctx, s.target)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
		sides = append(sides, served(ctx, l.name, p, s.good))
	}
	return sides, nil
}

// costs measures all sides, the first of which is the floor.
func costs(plan rounds.Plan, sides []side) []rounds.Result {
	runs := make([]func(), len(sides))
	for i, s := range sides {
		runs[i] = s.run
	}
	return plan.Measure(runs[0], runs[1:]...)
}

// ahead names those that cost less than bearward.
func ahead(sides []side, results []rounds.Result) []string {
	var names []string
	own := slices.IndexFunc(sides, func(s side) bool { return s.name == bearwardDefault.name })
	for i := range sides {
		if i != 0 && results[i].Ratio < results[own].Ratio {
			names = append(names, sides[i].name)
		}
	}
	return names
}
