package redisstore

import "context"

// Settings are what Redis says of how it keeps entries.
type Settings struct {
	Told       bool   // Redis tells its settings; managed ones often do not
	Policy     string // maxmemory-policy
	AppendOnly bool   // appendonly yes: entries outlive a restart
	Snapshots  bool   // save is set: those of the last snapshot do
}

// Settings asks Redis how it keeps entries. It writes nothing. The error is an
// [*Outage].
func (r *Redis) Settings(ctx context.Context) (s Settings, err error) {
	told := map[string]string{}
	err = r.run(ctx, func(ctx context.Context) error {
		if err := r.client.Ping(ctx).Err(); err != nil {
			return err
		}
		for _, name := range []string{"maxmemory-policy", "appendonly", "save"} {
			one, err := r.client.ConfigGet(ctx, name).Result()
			if replied(err) {
				return nil // it does not tell
			}
			if err != nil {
				return err
			}
			told[name] = one[name]
		}
		return nil
	})
	if err != nil {
		return s, err
	}
	s.Policy = told["maxmemory-policy"]
	s.Told, s.AppendOnly, s.Snapshots = s.Policy != "", told["appendonly"] == "yes", told["save"] != ""
	return s, nil
}
