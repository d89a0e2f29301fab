package lifecycle

import (
	"math"
	"runtime/debug"
)

// memoryShare leaves a tenth of the container's memory to what Go does not count.
const memoryShare = 0.9

// LimitMemory keeps the heap below the container's limit, given in bytes.
// GOMEMLIMIT, where it is set, wins; zero means that there is no limit.
func LimitMemory(containerLimit int64) {
	const ask = -1

	if containerLimit > 0 && debug.SetMemoryLimit(ask) == math.MaxInt64 {
		debug.SetMemoryLimit(int64(float64(containerLimit) * memoryShare))
	}
}
