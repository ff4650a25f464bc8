package desk

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// What an operator asks: is the machine keeping its promises. No label ever
// holds personal data.
var (
	commits = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "wishdesk_commits_total", Help: "Changes by answer of the journal: stored, stale, failed.",
	}, []string{"answer"})
	commitSeconds = promauto.NewHistogram(prometheus.HistogramOpts{
		Name: "wishdesk_commit_seconds", Help: "Time from asking for a commit to its answer.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
	})
	events = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "wishdesk_events_total", Help: "Events of tickets by type, overdue among them.",
	}, []string{"community", "type"})
	tasks = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "wishdesk_tasks_total", Help: "Queued tasks by kind and outcome: done, failed, dead.",
	}, []string{"kind", "outcome"})
	taskAge = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name: "wishdesk_task_age_seconds", Help: "Time from queueing a task to beginning it.",
		Buckets: prometheus.ExponentialBuckets(0.001, 4, 10),
	}, []string{"kind"})
	driveErrors = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "wishdesk_drive_errors_total", Help: "Calls to Redis that failed, by what was asked.",
	}, []string{"what"})
	rebuilds = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "wishdesk_drive_rebuilds_total", Help: "Rebuilds of what Redis had lost.",
	}, []string{"community"})
)
