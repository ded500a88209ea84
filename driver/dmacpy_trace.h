/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints for the stages of a job, and for the engine. The context of its
 * fences identifies a stream, and the number in the stream a job.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM dmacpy

#if !defined(DMACPY_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define DMACPY_TRACE_H

#include <linux/string.h>
#include <linux/tracepoint.h>

#define DMACPY_TRACE_NAME 24

TRACE_EVENT(dmacpy_job_submit,
	    TP_PROTO(u64 context, u64 seqno, u64 length, unsigned int nops,
		     unsigned int ndeps),
	    TP_ARGS(context, seqno, length, nops, ndeps),
	    TP_STRUCT__entry(__field(u64, context)
			     __field(u64, seqno)
			     __field(u64, length)
			     __field(unsigned int, nops)
			     __field(unsigned int, ndeps)),
	    TP_fast_assign(__entry->context = context;
			   __entry->seqno = seqno;
			   __entry->length = length;
			   __entry->nops = nops;
			   __entry->ndeps = ndeps;),
	    TP_printk("job=%llu:%llu bytes=%llu ops=%u deps=%u",
		      __entry->context, __entry->seqno, __entry->length,
		      __entry->nops, __entry->ndeps));

DECLARE_EVENT_CLASS(dmacpy_job_result,
		    TP_PROTO(u64 context, u64 seqno, int result),
		    TP_ARGS(context, seqno, result),
		    TP_STRUCT__entry(__field(u64, context)
				     __field(u64, seqno)
				     __field(int, result)),
		    TP_fast_assign(__entry->context = context;
				   __entry->seqno = seqno;
				   __entry->result = result;),
		    TP_printk("job=%llu:%llu result=%d", __entry->context,
			      __entry->seqno, __entry->result));

DEFINE_EVENT(dmacpy_job_result, dmacpy_job_start,
	     TP_PROTO(u64 context, u64 seqno, int result),
	     TP_ARGS(context, seqno, result));

DEFINE_EVENT(dmacpy_job_result, dmacpy_job_done,
	     TP_PROTO(u64 context, u64 seqno, int result),
	     TP_ARGS(context, seqno, result));

TRACE_EVENT(dmacpy_chan_feed,
	    TP_PROTO(const char *chan, size_t length),
	    TP_ARGS(chan, length),
	    TP_STRUCT__entry(__array(char, chan, DMACPY_TRACE_NAME)
			     __field(size_t, length)),
	    TP_fast_assign(strscpy_pad(__entry->chan, chan,
				       DMACPY_TRACE_NAME);
			   __entry->length = length;),
	    TP_printk("chan=%s bytes=%zu", __entry->chan, __entry->length));

DECLARE_EVENT_CLASS(dmacpy_chan,
		    TP_PROTO(const char *chan),
		    TP_ARGS(chan),
		    TP_STRUCT__entry(__array(char, chan, DMACPY_TRACE_NAME)),
		    TP_fast_assign(strscpy_pad(__entry->chan, chan,
					       DMACPY_TRACE_NAME);),
		    TP_printk("chan=%s", __entry->chan));

DEFINE_EVENT(dmacpy_chan, dmacpy_chan_timeout,
	     TP_PROTO(const char *chan),
	     TP_ARGS(chan));

DEFINE_EVENT(dmacpy_chan, dmacpy_chan_revived,
	     TP_PROTO(const char *chan),
	     TP_ARGS(chan));

#endif /* DMACPY_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE dmacpy_trace
#include <trace/define_trace.h>
