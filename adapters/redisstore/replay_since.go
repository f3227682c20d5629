package redisstore

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// apart is how far the clocks of processes may be apart for Since to be right
// for all of them.
const apart = time.Second

// newborn is how far the marker of a new Redis is dated back. A proof that is made
// now has an iat of up to a second ago, and could have been used when its iat was
// still 10 s ahead: such a proof passes at once, one that was made before does
// not, but for those of clients whose clocks are ahead.
const newborn = 13 * time.Second

const maxAge = 1 << 51 // microseconds, of a marker

// ask puts the proofs into Redis in one pipeline and reports which were absent.
//
// A pipeline stays on one connection, and its last command tells since when
// this Redis holds everything. So whatever was lost before a proof was written
// is known before anybody learns that it was the first.
func (p *Replay) ask(ctx context.Context, batch []*use) (firsts []bool, err error) {
	p.mu.Lock()
	known := p.marker
	p.mu.Unlock()
	var s sighting
	err = p.redis.run(ctx, func(ctx context.Context) error {
		pipe := p.redis.client.Pipeline()
		puts := make([]*redis.StatusCmd, len(batch))
		for i, u := range batch {
			puts[i] = redis.NewStatusCmd(ctx, "SET", u.key, flag, "NX", "PX", u.keep) // [DP-21]
			_ = pipe.Process(ctx, puts[i])
		}
		since := sinceScript.Eval(ctx, pipe, []string{p.redis.config.Prefix + "p:since"}, known, newborn.Microseconds())
		if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) { // [DP-22]
			return err
		}
		if firsts, err = absent(puts); err != nil { // [DP-22]
			return err
		}
		s, err = sighted(since)
		return err
	})
	if err != nil {
		return nil, err
	}
	p.found(s)
	return firsts, nil
}

// absent reads what became of the entries. One that failed fails all: the error
// of the pipeline is only that of its first command.
func absent(puts []*redis.StatusCmd) ([]bool, error) {
	firsts := make([]bool, len(puts))
	for i, put := range puts {
		text, err := put.Result()
		switch {
		case errors.Is(err, redis.Nil): // [DP-20]
		case err != nil: // [DP-22]
			return nil, err
		case text != "OK":
			return nil, errNonsense
		default:
			firsts[i] = true
		}
	}
	return firsts, nil
}

// sinceScript returns the marker, for how many microseconds it has been there,
// and whether it was made now and with a run_id.
//
// The marker is the run_id of Redis and the time since when it holds all
// proofs: that of the first one. It is made anew if it is gone, if Redis was
// started since or is another one, and if it is older than one that the caller
// knows or from the future: then it came back with an old copy of the data.
// A marker where there was none, for a caller that has known none, is dated back:
// a Redis that is used for the first time would refuse everybody until their
// proofs are younger than it. What a caller has known and is gone was lost.
// Lua writes numbers of this size without digits lost by %.0f only.
var sinceScript = redis.NewScript(`
local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and string.match(info, 'run_id:(%x+)') or ''
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local known = tonumber(string.match(ARGV[1], ' (%d+)$') or '0')
local marker = redis.call('GETRANGE', KEYS[1], 0, 99)
local by, since = string.match(marker, '^(%x*) (%d+)$')
since = tonumber(since or '-1')
local made, back = 0, 0
if marker == '' and ARGV[1] == '' then back = tonumber(ARGV[2]) end
if since < known or since > now or run ~= '' and run ~= by then
  since, made = now - back, 1
  marker = run .. ' ' .. string.format('%.0f', since)
  redis.call('SET', KEYS[1], marker)
end
return {marker, now - since, made, #run}`)

// sighting is what sinceScript returned.
type sighting struct {
	marker string
	age    time.Duration
	made   bool
	blind  bool // there is no run_id to be read
}

func sighted(reply *redis.Cmd) (sighting, error) {
	values, err := reply.Slice()
	if err != nil && !errors.Is(err, redis.Nil) {
		return sighting{}, err
	}
	if len(values) != 4 {
		return sighting{}, errNonsense
	}
	marker, ok0 := values[0].(string)
	age, ok1 := values[1].(int64)
	made, ok2 := values[2].(int64)
	run, ok3 := values[3].(int64)
	if !ok0 || !ok1 || !ok2 || !ok3 || marker == "" || age < 0 || age > maxAge {
		return sighting{}, errNonsense
	}
	return sighting{marker, time.Duration(age) * time.Microsecond, made == 1, run == 0}, nil
}

// found moves Since, never back, and logs what is new.
func (p *Replay) found(s sighting) {
	since := p.redis.config.Clock().Add(apart - s.age) // the answer's way makes it later, which is safe
	p.mu.Lock()
	moved, lost := s.marker != p.marker && !since.Before(p.since), p.marker != ""
	blinded := s.blind && !p.blind
	if moved {
		p.marker, p.since = s.marker, since
	}
	p.blind = s.blind
	p.mu.Unlock()
	log := p.redis.config.Logger
	if blinded {
		log.Warn("redis does not tell its run_id: whether it lost used proofs is not noticed if it comes back with an old copy of them")
	}
	switch {
	case moved && lost:
		log.Error("redis may have lost used proofs: those made before are refused", "since", since)
	case moved && s.made:
		log.Warn("redis holds no used proofs yet, or may have lost them: those made before are refused", "since", since)
	}
}

// Since returns the instant from which on Redis holds every proof that was
// used, as the last First found it. Before there was one it is now.
func (p *Replay) Since() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.marker == "" { // [DP-22]
		return p.redis.config.Clock()
	}
	return p.since
}
