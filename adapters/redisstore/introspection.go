package redisstore

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/bearward/bearward/introspect"
)

const maxAnswer = 64 << 10 // bytes

// Introspection returns the shared level of introspection caches. All issuers
// can use one.
func (r *Redis) Introspection() introspect.Store { return answers{r} }

type answers struct{ redis *Redis }

var _ introspect.Store = answers{}

func (a answers) name(key [32]byte) string {
	return a.redis.config.Prefix + "i:" + base64.RawURLEncoding.EncodeToString(key[:])
}

// Get returns nil if nothing is there. It reads no more than an answer may
// have.
func (a answers) Get(ctx context.Context, key [32]byte) (value []byte, err error) {
	err = a.redis.do(ctx, func(ctx context.Context) error {
		value, err = a.redis.client.GetRange(ctx, a.name(key), 0, maxAnswer).Bytes()
		switch {
		case errors.Is(err, redis.Nil):
			return nil
		case len(value) > maxAnswer: // [CA-05]
			return errTooLarge
		}
		return err
	})
	if err != nil || len(value) == 0 {
		return nil, err
	}
	return value, nil
}

// Set stores nothing that is larger than 64 KiB, or good for less than a
// millisecond.
func (a answers) Set(ctx context.Context, key [32]byte, value []byte, ttl time.Duration) error {
	if len(value) == 0 || len(value) > maxAnswer || ttl < time.Millisecond { // [CA-05]
		return nil
	}
	return a.redis.do(ctx, func(ctx context.Context) error {
		return a.redis.client.Do(ctx, "SET", a.name(key), value, "PX", ttl.Milliseconds()).Err()
	})
}

func (a answers) Delete(ctx context.Context, key [32]byte) error {
	return a.redis.do(ctx, func(ctx context.Context) error { return a.redis.client.Del(ctx, a.name(key)).Err() })
}
