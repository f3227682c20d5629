// Package redisstore keeps on Redis, or Valkey, what several processes share:
// introspection answers, revocations and used DPoP proofs.
//
// One node is supported, over TCP, TLS or a unix socket, and whatever looks
// like one node: a failover address, a proxy. Every operation stays within one
// hash slot, but redirects of a cluster are not followed.
//
// # A Redis that is slow or down
//
// Every operation ends within Config.Timeout; over a new connection twice that,
// because Redis is looked at more closely. Nothing is tried again. After three
// failures in a row none is begun for a second, then one caller finds out how
// Redis is doing. An outage is logged when it begins and when it ends. What it
// means is up to the user: introspection goes on without the shared answers, a
// revocation list refuses with validate.ErrRevocationUnavailable (503), and
// proofs are refused with validate.ErrReplayUnavailable, or ErrReplayFull if
// Redis is out of memory (503).
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
//
// # What used proofs need
//
//   - maxmemory-policy noeviction, as above. A proof takes about 150 bytes for
//     its life and 30 seconds.
//   - The commands SET, EVAL, GETRANGE, TIME and INFO, on keys with the prefix.
//   - Clocks that agree: 30 seconds between a process and the others cost
//     nothing while all goes well, one second after a loss of data. The clock of
//     Redis may differ from all of them, but must not jump: entries would end
//     with it.
//   - No second node that takes writes meanwhile: min-replicas-to-write on a
//     primary with replicas.
//   - rediss or a trusted network: who can delete from Redis can use proofs
//     again.
//
// Redis may lose proofs: it is flushed, restarted, restored from a copy, or a
// replica takes over. So a marker there says since when it holds all. It is
// made by whoever finds none, or one from before the last start of Redis as INFO
// tells it. Each pipeline reads the marker after its proofs, and a proof that
// could have been used before is refused (503) for as long as it is valid: for
// eleven seconds after a loss that is every proof, because one may be from 10
// seconds ahead, and clocks one second apart. Persistence keeps the proofs over a
// restart, but nobody can know that it kept all.
//
// A Redis without marker, found by a process that has known none, is taken for a
// new one: proofs that are made from then on pass at once, older ones are refused.
// If both the process and a Redis that keeps nothing are started anew together,
// that leaves proofs of clients whose clocks are ahead, as a store in memory
// leaves all that are still valid.
//
// Where INFO is forbidden, which is logged, a loss is noticed if the marker is
// gone or older than one that was seen, not if an old copy comes back with the
// same one.
package redisstore
