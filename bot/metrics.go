package bot

import (
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Counters of the conversation and of the pushes. No label holds personal
// data.
var (
	accepted = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "wishdesk_messages_total", Help: "Deliveries that came through the gate, by type.",
	}, []string{"community", "type"})
	repeated = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "wishdesk_messages_repeated_total", Help: "Deliveries that WeChat repeated.",
	}, []string{"community"})
	deferred = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "wishdesk_messages_deferred_total", Help: "Messages answered later by a push because a store was slow or away.",
	}, []string{"community"})
	refused = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "wishdesk_messages_refused_total", Help: "Messages not taken, by reason.",
	}, []string{"community", "reason"})
	answerSeconds = promauto.NewHistogram(prometheus.HistogramOpts{
		Name: "wishdesk_answer_seconds", Help: "Time from a delivery to its passive reply; WeChat waits 5 s.",
		Buckets: prometheus.ExponentialBuckets(0.001, 2, 13),
	})
	understandSeconds = promauto.NewHistogram(prometheus.HistogramOpts{
		Name: "wishdesk_understand_seconds", Help: "Time to understand a text.",
		Buckets: prometheus.ExponentialBuckets(0.00001, 4, 8),
	})
	pushes = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "wishdesk_pushes_total", Help: "Attempts to push by channel, WeChat's errcode and what became of it.",
	}, []string{"community", "channel", "errcode", "outcome"})
	pushDelay = promauto.NewHistogram(prometheus.HistogramOpts{
		Name: "wishdesk_push_delay_seconds", Help: "Time from owing a push to having sent it.",
		Buckets: prometheus.ExponentialBuckets(0.01, 3, 12),
	})
	outsideCalls = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "wishdesk_outside_total", Help: "Questions to the language model (advice) and the transcriber (hear) by outcome.",
	}, []string{"community", "what", "outcome"})
	mediaFetched = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "wishdesk_media_total", Help: "Media fetched from WeChat by outcome.",
	}, []string{"community", "outcome"})
)

func stack() string { return string(debug.Stack()) }
