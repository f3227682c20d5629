package middleware

// Cache returns the cache of verified JWTs, for its health: a *cache.Cache
// unless the configuration brought another one, nil if nothing is remembered.
func (g *Guard) Cache() Cache {
	if !g.made() {
		return nil
	}
	return g.config.Cache
}
