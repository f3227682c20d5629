package redisstore

import (
	"context"
	"crypto/rand"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

const noEviction = "noeviction"

// unreadable stands for a policy that Redis does not tell: managed ones often
// do not.
const unreadable = "?"

// inspector knows what revocations and used proofs need of Redis.
type inspector struct {
	due         atomic.Bool // a connection is new
	revocations atomic.Bool // are kept here
	proofs      atomic.Bool // are kept here

	mu     sync.Mutex
	policy string // maxmemory-policy
	marker string // of revocations, as it was found last
}

// keeps reports that Redis must not drop anything.
func (i *inspector) keeps() bool { return i.revocations.Load() || i.proofs.Load() }

// kept names what Redis must not drop.
func (i *inspector) kept() string {
	switch {
	case !i.proofs.Load():
		return "revocations"
	case !i.revocations.Load():
		return "used proofs"
	}
	return "revocations, used proofs"
}

// fault is what keeps entries from being safe.
func (i *inspector) fault() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.keeps() && i.policy != noEviction && i.policy != unreadable { // [DP-22 RV-03]
		return &Outage{text: errEvicts}
	}
	return nil
}

// inspect reads the policy and looks for the marker of revocations. It is done
// once per new connection, because that may be another Redis, or one that was
// restarted. Proofs look for themselves.
func (r *Redis) inspect(ctx context.Context) error {
	if !r.inspector.keeps() {
		return nil
	}
	var policy, marker string
	fresh := rand.Text()
	err := r.run(ctx, func(ctx context.Context) (err error) {
		if policy, err = r.policy(ctx); err != nil || !r.inspector.revocations.Load() {
			return err
		}
		marker, err = markScript.Eval(ctx, r.client, []string{r.config.Prefix + "r:marker"}, fresh).Text()
		return err
	})
	if err != nil {
		r.inspector.due.Store(true)
		return err
	}
	r.found(policy, marker, marker == fresh)
	return nil
}

func (r *Redis) policy(ctx context.Context) (string, error) {
	all, err := r.client.ConfigGet(ctx, "maxmemory-policy").Result()
	if replied(err) {
		return unreadable, nil
	}
	if err != nil {
		return "", err
	}
	if policy := all["maxmemory-policy"]; policy != "" {
		return policy, nil
	}
	return unreadable, nil
}

// markScript returns the marker, which it makes if there is none. It does not
// expire: a Redis without it has lost what it held.
var markScript = redis.NewScript(`
local marker = redis.call('GET', KEYS[1])
if marker then return marker end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]`)

// found compares what was found with what was known, and logs what is new.
func (r *Redis) found(policy, marker string, made bool) {
	i := &r.inspector
	i.mu.Lock()
	changed, lost := policy != i.policy, i.marker != "" && marker != i.marker
	i.policy, i.marker = policy, marker
	i.mu.Unlock()
	log := r.config.Logger
	switch {
	case !changed:
	case policy == unreadable:
		log.Warn("redis does not tell its maxmemory-policy: make sure that it is noeviction, or entries may be lost", "kept", i.kept())
	case policy != noEviction: // [DP-22 RV-03]
		log.Error("redis may drop entries when its memory is full: set maxmemory-policy to noeviction", "kept", i.kept())
	}
	switch {
	case lost:
		log.Error("redis has lost its data: revocations from before are gone, revoke again what is still valid")
	case made:
		log.Warn("redis holds no revocations yet; if it did, it has lost its data")
	}
}
