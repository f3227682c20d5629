// Package redisstore keeps on Redis, or Valkey, what several processes share:
// introspection answers and revocations.
//
// One node is supported, over TCP, TLS or a unix socket, and whatever looks
// like one node: a failover address, a proxy. Every operation stays within one
// hash slot, but redirects of a cluster are not followed.
//
// # A Redis that is slow or down
//
// Every operation ends within Config.Timeout; over a new connection twice that,
// because Redis is looked at more closely. Nothing is tried again. After three failures in a row
// none is begun for a second, then one caller finds out how Redis is doing.
// An outage is logged when it begins and when it ends. What it means is up to
// the user: introspection goes on without the shared answers, a revocation
// list refuses with validate.ErrRevocationUnavailable (503).
//
// # What revocations need
//
//   - maxmemory-policy noeviction. With another one Redis drops entries when
//     its memory is full; Ping fails then.
//   - appendonly yes, best with appendfsync always: without it, a restart of
//     Redis loses entries. That is logged when it is noticed.
//   - A replica that takes over may miss the last entries: revoke again after
//     a failover, or set min-replicas-to-write.
//   - One retention for all processes.
//   - rediss or a trusted network: who can write into Redis can undo a
//     revocation.
//
// The keys of revocations are SHA-256 digests, so that a dump names nobody.
// Who guesses an identifier can find it out; Redis is not public.
package redisstore
