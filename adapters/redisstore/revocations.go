package redisstore

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/bearward/bearward/internal/facts"
	"github.com/bearward/bearward/validate"
)

const (
	minRetention = time.Hour
	beyond       = 10 * time.Minute // tokens are valid for a leeway after exp, and clocks differ
	maxBefore    = 9999             // year
	flag         = "1"              // the value of entries without an instant
)

// Revocations is a validate.Revocation that all processes on one Redis share.
// An entry has an effect on the next request of each of them. If Redis cannot
// be asked, the token's state is unknown, which is no pass. It is safe for
// concurrent use.
type Revocations struct {
	redis     *Redis
	retention time.Duration
}

var _ validate.Revocation = (*Revocations)(nil)

// Revocations returns the revocation list. Every entry is kept for the
// retention and ten minutes: 30 days if it is 0, and at least an hour. It has
// to outlive the longest token, so one with a longer life is refused.
func (r *Redis) Revocations(retention time.Duration) *Revocations {
	if retention == 0 {
		retention = validate.DefaultRetention
	}
	r.inspector.revocations.Store(true)
	r.inspector.due.Store(true)
	return &Revocations{redis: r, retention: max(retention, minRetention)}
}

// Revoked reports whether an entry is about the token, in one round trip. The
// error is a *validate.Error: ErrRevocationUnavailable if that is not known
// now, ErrLifetimeTooLong if entries about such a token are not kept to its
// end.
func (l *Revocations) Revoked(ctx context.Context, t *validate.Token) (revoked bool, err error) {
	f := facts.Known(t)
	if l.outlives(f) { // [RV-03]
		return false, &validate.Error{Code: validate.ErrLifetimeTooLong, Claim: "exp"}
	}
	subjects := about(f)
	if len(subjects) == 0 {
		return false, nil
	}
	err = l.redis.do(ctx, func(ctx context.Context) error {
		revoked, err = l.look(ctx, f, subjects)
		return err
	})
	if err != nil { // [RV-03]
		return false, &validate.Error{Code: validate.ErrRevocationUnavailable, Err: err}
	}
	return revoked, nil
}

// outlives reports that an entry could be gone before the token is. Its whole
// life counts: it may have been revoked when it was new. Without iat, only the
// rest of it is known.
func (l *Revocations) outlives(f *facts.Facts) bool {
	from := l.redis.config.Clock()
	if !f.IssuedAt().IsZero() && f.IssuedAt().Before(from) {
		from = f.IssuedAt()
	}
	return f.ExpiresAt().IsZero() || f.ExpiresAt().Sub(from) > l.retention
}

// look asks Redis about all subjects at once.
func (l *Revocations) look(ctx context.Context, f *facts.Facts, subjects []subject) (bool, error) {
	pipe := l.redis.client.Pipeline()
	values := make([]*redis.StringCmd, len(subjects))
	for i, s := range subjects {
		values[i] = pipe.Get(ctx, s.key(l.redis.config.Prefix, f.Issuer()))
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return false, err
	}
	for i, s := range subjects {
		value, err := values[i].Result()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err != nil {
			return false, err
		}
		if revoked, err := s.revokes(value, f.IssuedAt()); revoked || err != nil {
			return revoked, err
		}
	}
	return false, nil
}

// revokes reads an entry. What nobody here wrote is an error.
//
// A user's tokens are compared by whole seconds, as iat has no more: one that
// was issued in the second of Before may be older than it, and is revoked.
func (s subject) revokes(value string, issued time.Time) (bool, error) {
	if s.kind != bySubject {
		if value != flag {
			return false, errForeign
		}
		return true, nil
	}
	before, err := strconv.ParseUint(value, 10, 62) // milliseconds
	if err != nil {
		return false, errForeign
	}
	return issued.IsZero() || issued.Unix() <= int64(before/1000), nil // [RV-03]
}

// Revoke adds an entry. Of two about the same, the one that refuses more wins.
// A nil error means that Redis has it; how durably is Redis' configuration.
func (l *Revocations) Revoke(ctx context.Context, e validate.RevocationEntry) error {
	if err := e.Check(); err != nil {
		return err
	}
	if e.Before.Year() > maxBefore {
		return errors.New("a revocation reaches beyond the year 9999")
	}
	now := l.redis.config.Clock()
	until := now.Add(l.retention) // [RV-03]
	if e.Until.After(until) {
		until = e.Until
	}
	s, value := named(e), flag
	if s.kind == bySubject {
		value = strconv.FormatInt(max(e.Before.UnixMilli(), 0), 10)
		if last := e.Before.Add(l.retention); last.After(until) { // tokens issued later on are meant, too
			until = last
		}
	}
	keep := until.Add(beyond).Sub(now).Milliseconds()
	return l.redis.do(ctx, func(ctx context.Context) error {
		key := s.key(l.redis.config.Prefix, e.Issuer)
		return revokeScript.Eval(ctx, l.redis.client, []string{key}, value, keep).Err()
	})
}

// revokeScript writes an entry whose instant and end are the later ones of the
// new and the old entry. Numbers stay strings: Lua would round them.
var revokeScript = redis.NewScript(`
local value, keep = ARGV[1], ARGV[2]
local old = redis.call('GET', KEYS[1])
if old then
  if not string.match(old, '^%d+$') then return redis.error_reply('WRONGTYPE not an entry') end
  if tonumber(old) > tonumber(value) then value = old end
  local left = redis.call('PTTL', KEYS[1])
  if left == -1 then return redis.call('SET', KEYS[1], value) end
  keep = left > tonumber(keep) and string.format('%.0f', left) or keep
end
return redis.call('SET', KEYS[1], value, 'PX', keep)`)
