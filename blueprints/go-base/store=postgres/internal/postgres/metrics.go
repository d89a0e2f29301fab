package postgres

import (
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// Observe reports how much of the pool is in use.
func Observe(pool *pgxpool.Pool, metrics prometheus.Registerer) error {
	gauge := func(name, help string, value func(*pgxpool.Stat) int32) prometheus.Collector {
		options := prometheus.GaugeOpts{Namespace: "store", Subsystem: "pool", Name: name, Help: help}

		return prometheus.NewGaugeFunc(options, func() float64 { return float64(value(pool.Stat())) })
	}

	collectors := []prometheus.Collector{
		gauge("connections_used", "Connections that are in use.", (*pgxpool.Stat).AcquiredConns),
		gauge("connections_open", "Connections that are open.", (*pgxpool.Stat).TotalConns),
		gauge("connections_limit", "Connections that may be open.", (*pgxpool.Stat).MaxConns),
	}

	for _, collector := range collectors {
		if err := metrics.Register(collector); err != nil {
			return err //nolint:wrapcheck // It names the metric.
		}
	}

	return nil
}
