/* kafka_request.c: requests of the engine on their way, and the verdicts that come of them. */
#include "kafka_int.h"
#include <stdio.h>

/* What sl_request.user points to when its records are to go each in a batch of its own. */
static char alone_mark;

/* ---- lists ---- */

void kafka_requests_push(kafka_request_list *list, kafka_request *request)
{
    request->next = NULL;
    request->prev = list->last;
    if (list->last)
        list->last->next = request;
    else
        list->first = request;
    list->last = request;
}

void kafka_requests_remove(kafka_request_list *list, kafka_request *request)
{
    if (request->prev)
        request->prev->next = request->next;
    else
        list->first = request->next;
    if (request->next)
        request->next->prev = request->prev;
    else
        list->last = request->prev;
    request->next = request->prev = NULL;
}

/* ---- life ---- */

kafka_request *kafka_request_new(sl_request *req)
{
    kafka_request *request = sl_calloc(1, sizeof *request);
    request->req = req;
    request->messages = sl_try_alloc(req->count * sizeof *request->messages);
    if (!request->messages || sl_buf_try_reserve(&request->body, kafka_encode_max(req)) < 0) {
        kafka_request_free(request);
        return NULL;
    }
    sl_verdict_init(&request->verdict, req);
    return request;
}

void kafka_request_free(kafka_request *request)
{
    sl_buf_release(&request->body);
    sl_arena_release(&request->texts);
    sl_free(request->messages);
    sl_free(request);
}

bool kafka_request_is_alone(const sl_request *req)
{
    return req->user == &alone_mark;
}

/* ---- verdicts ---- */

void kafka_request_note(kafka_request *request, uint32_t i, kafka_fate fate, const char *reason)
{
    if (fate == KAFKA_DELIVERED) return;
    bool refused = fate == KAFKA_REFUSED;
    if (refused)
        request->refused++;
    else
        request->again++;
    if (fate == KAFKA_ALONE) request->alone = true;
    sl_verdict *verdict = &request->verdict;
    sl_verdict_set_record(verdict, i, refused ? SL_VERDICT_REJECT : SL_VERDICT_RETRY, sl_span_of(reason));
    if (!verdict->reason[0]) snprintf(verdict->reason, sizeof verdict->reason, "%s", reason);
}

void kafka_request_finish(kafka_output *output, kafka_request *request)
{
    sl_request *req = request->req;
    if (request->alone) req->user = &alone_mark;
    /* All of them: the cluster is in trouble, and the engine holds back what is new. */
    if (request->again == req->count && !request->alone) {
        char reason[SL_REASON_MAX];
        memcpy(reason, request->verdict.reason, sizeof reason);
        sl_verdict_set(&request->verdict, SL_VERDICT_RETRY, "%s", reason);
    }
    sl_verdict verdict = request->verdict; /* its lists are in the engine's arena */
    kafka_request_free(request);
    sl_request_done(output->out, req, &verdict);
}
