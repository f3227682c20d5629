package redisstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	idle      = 5 * time.Minute // of a connection that nobody uses
	keepQuiet = time.Minute     // about operations that fail one by one
	buffer    = 4 << 10         // bytes, twice per connection
)

// Redis is one Redis and the connections to it. It is safe for concurrent use.
type Redis struct {
	config  Config
	client  *redis.Client
	breaker breaker
	closed  atomic.Bool
	life    context.Context // ends with Close
	end     context.CancelFunc
	proofs  *Replay

	complained atomic.Int64 // when, unix nanoseconds
	inspector  inspector
}

// Open checks the configuration and all its faults, without using the network.
func Open(c Config) (*Redis, error) {
	c, at, err := c.prepare()
	if err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	r := &Redis{config: c}
	r.life, r.end = context.WithCancel(context.Background())
	r.proofs = &Replay{redis: r}
	r.breaker.health = Health{Up: true, Since: c.Clock()}
	r.inspector.due.Store(true)
	r.client = redis.NewClient(&redis.Options{
		Network: at.network, Addr: at.address, Dialer: r.dialer(at),
		Username: at.user, Password: at.password, DB: at.db,
		Protocol: 2, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		MaxRetries:               -1, DialerRetries: 1,
		ContextTimeoutEnabled: true,
		DialTimeout:           c.Timeout, ReadTimeout: c.Timeout, WriteTimeout: c.Timeout, PoolTimeout: c.Timeout,
		PipelinePoolSize: -1, ConnMaxIdleTime: idle,
		ReadBufferSize: buffer, WriteBufferSize: buffer,
		OnConnect: func(context.Context, *redis.Conn) error {
			r.inspector.due.Store(true)
			return nil
		},
	})
	return r, nil
}

// dialer connects for as long as r lives.
func (r *Redis) dialer(at place) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(r.life, cancel)()
		return at.dial(ctx, network, address)
	}
}

// Close closes the connections, once the proofs that are in a pipeline have
// their answers: within Config.Timeout. Operations fail from then on.
func (r *Redis) Close() error {
	if r.closed.Swap(true) {
		return nil
	}
	r.end()
	r.proofs.queue.close()
	if err := r.client.Close(); err != nil {
		return errUnreachable
	}
	return nil
}

// Health returns how Redis is doing, without asking it.
func (r *Redis) Health() Health { return r.breaker.state() }

// Ping asks Redis now. After Revocations or Replay was called it fails, too, if
// Redis may drop entries. Call it at start: proofs made before the first time
// are refused.
func (r *Redis) Ping(ctx context.Context) error {
	if err := r.run(ctx, func(ctx context.Context) error { return r.client.Ping(ctx).Err() }); err != nil {
		return err
	}
	if err := r.inspect(ctx); err != nil {
		return err
	}
	if r.inspector.proofs.Load() {
		if _, err := r.proofs.ask(ctx, nil); err != nil {
			return err
		}
	}
	return r.inspector.fault()
}

// do runs one operation, and looks at Redis more closely if the connection is
// new. The error is an *Outage.
func (r *Redis) do(ctx context.Context, op func(context.Context) error) error {
	if err := r.run(ctx, op); err != nil {
		return err
	}
	r.look(ctx)
	return nil
}

// look inspects Redis if there is a new connection.
func (r *Redis) look(ctx context.Context) {
	if r.inspector.due.Swap(false) {
		_ = r.inspect(context.WithoutCancel(ctx)) // it complains by itself
	}
}

// run bounds one operation by the timeout and the breaker.
func (r *Redis) run(ctx context.Context, op func(context.Context) error) error {
	if r.closed.Load() {
		return &Outage{text: errClosed}
	}
	probe, ok := r.breaker.enter(r.config.Clock())
	if !ok {
		return r.paused()
	}
	began := time.Now()
	bounded, cancel := context.WithTimeout(ctx, r.config.Timeout)
	defer cancel()
	f := judge(guarded(bounded, op))
	switch {
	case f == nil:
	case r.closed.Load():
		f = &failure{text: errClosed, own: true}
	case f.text == errSlow && ctx.Err() != nil && time.Since(began) < r.config.Timeout/2:
		f = &failure{text: errGivenUp, own: true} // the caller had less patience
	}
	r.note(probe, f)
	if f == nil {
		return nil
	}
	return &Outage{text: f.text, wait: pause}
}

func (r *Redis) paused() error {
	text := r.breaker.state().LastError
	if text == "" {
		text = string(errUnreachable)
	}
	return &Outage{text: notice(text), wait: pause}
}

// guarded makes a panic an error: what arrives from the network may cause one.
func guarded(ctx context.Context, op func(context.Context) error) (err error) {
	defer func() {
		if recover() != nil {
			err = errPanic
		}
	}()
	return op(ctx)
}

// note tells the breaker, and the log what is new.
func (r *Redis) note(probe bool, f *failure) {
	now := r.config.Clock()
	began, ended := r.breaker.leave(probe, f, now)
	switch {
	case began:
		r.config.Logger.Error("redis is not used: it "+string(f.text), "retry_every", pause)
	case ended:
		r.config.Logger.Warn("redis is used again")
	case f != nil && !f.counts && !f.own:
		r.complain(f.text, now)
	}
}

// complain logs, now and then, that single operations fail.
func (r *Redis) complain(text notice, now time.Time) {
	last := r.complained.Load()
	if last != 0 && now.UnixNano()-last < int64(keepQuiet) || !r.complained.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	r.config.Logger.Error("an operation on redis failed: it " + string(text))
}

// replied reports that Redis refused a command, rather than not answering.
func replied(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply) && !errors.Is(err, redis.Nil)
}
