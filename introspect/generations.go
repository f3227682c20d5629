package introspect

// generations is a small exact memory: what is put in pushes out what is oldest
// and nothing else. The caller locks.
type generations[V any] struct {
	young, old map[digest]V
	most       int // that a generation weighs, unless it has a single value
	weight     int // of young
}

func newGenerations[V any](most int) generations[V] {
	return generations[V]{young: make(map[digest]V), old: make(map[digest]V), most: most}
}

func (g *generations[V]) get(d digest) (V, bool) {
	v, ok := g.young[d]
	if !ok {
		v, ok = g.old[d]
	}
	return v, ok
}

// put replaces what was there.
func (g *generations[V]) put(d digest, v V, weight int) {
	if g.weight+weight > g.most { // [CA-05]
		clear(g.old)
		g.young, g.old, g.weight = g.old, g.young, 0
	}
	g.young[d] = v
	g.weight += weight
}

func (g *generations[V]) remove(d digest) {
	delete(g.young, d)
	delete(g.old, d)
}
