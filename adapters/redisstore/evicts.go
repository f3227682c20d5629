package redisstore

// ErrEvicts is inside of what Ping returns for a Redis that may drop
// revocations or used proofs when its memory is full.
var ErrEvicts error = errEvicts

// Is reports that the outage is for this reason.
func (o *Outage) Is(reason error) bool { return reason == error(o.text) }
