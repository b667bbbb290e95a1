/* http_output.c: how a shipment becomes an HTTP request, and what a plugin's own requests are.
 *
 * A compressed body is made from a scratch buffer that all shipments share, so that only the small one is
 * held while the request is under way. Either is kept until the last repetition: encoding is paid for once.
 */
#include "delivery_int.h"

static const sl_http_conf *http_conf(const sl_output_worker *worker)
{
    return worker->ops->http(worker->self);
}

/* As soon as there is an address. */
static void open_client(sl_output_worker *worker)
{
    const sl_http_conf *conf = http_conf(worker);
    if (!worker->client && conf->url.count) worker->client = sl_http_client_new(worker->loop, conf);
}

void sl_http_output__start(sl_output_worker *worker)
{
    const sl_http_conf *conf = http_conf(worker);
    sl_assert(worker->ops->prepare || (conf->url.count && !worker->ops->headers));
    open_client(worker);
    if (conf->compress != SL_COMPRESS_NONE)
        worker->compressor = sl_compressor_new(conf->compress, (int)conf->compress_level);
    if (worker->ops->prepare) worker->prepare = SL_PREPARE_NEEDED;
    sl_backoff_init(&worker->prepare_backoff, worker->conf.delivery->retry.initial_ns,
                    worker->conf.delivery->retry.max_ns);
}

static void unlink_own_call(sl_own_call *own)
{
    if (own->prev)
        own->prev->next = own->next;
    else
        own->worker->own_calls = own->next;
    if (own->next) own->next->prev = own->prev;
}

static void free_own_call(sl_own_call *own)
{
    if (!own->given_up) unlink_own_call(own);
    sl_free(own->body);
    sl_free(own);
}

void sl_http_output__stop(sl_output_worker *worker)
{
    while (worker->own_calls) {
        sl_own_call *own = worker->own_calls;
        if (own->call) {
            sl_http_call_cancel(own->call);
            free_own_call(own);
        } else {
            unlink_own_call(own);
            own->given_up = true; /* its message is on the way */
        }
    }
    sl_http_client_free(worker->client);
    sl_compressor_free(worker->compressor);
    worker->client = NULL;
    worker->compressor = NULL;
}

/* ---- encoding ---- */

static void hold(sl_output_worker *worker, sl_shipment *shipment)
{
    shipment->held = worker->compressor ? shipment->wire.cap : shipment->req.body.cap;
    worker->held += shipment->held;
}

static void compress(sl_output_worker *worker, sl_shipment *shipment)
{
    sl_span body = sl_buf_span(&shipment->req.body);
    if (sl_compressor_run(worker->compressor, body, &shipment->wire) < 0) sl_out_of_memory(body.len);
}

static void swap_body(sl_output_worker *worker, sl_shipment *shipment)
{
    sl_buf body = shipment->req.body;
    shipment->req.body = worker->scratch;
    worker->scratch = body;
}

/* How many of its records the plugin took. */
static uint32_t encode_body(sl_output_worker *worker, sl_shipment *shipment)
{
    sl_request *req = &shipment->req;
    uint32_t count = req->count;
    sl_buf_clear(&req->body);
    sl_buf_clear(&req->path);
    req->method = "POST";
    req->content_type = "application/json";
    req->size = 0;
    worker->ops->encode(worker->self, req);
    if (!req->size) req->size = req->body.len;
    uint32_t taken = req->count;
    sl_assert(taken > 0 && taken <= count);
    req->count = count;
    return taken;
}

bool sl_http_output__encode(sl_output_worker *worker, sl_shipment *shipment, bool fresh)
{
    if (shipment->encoded) return true;
    sl_request *req = &shipment->req;
    if (worker->compressor) swap_body(worker, shipment);
    uint32_t taken = encode_body(worker, shipment);
    if (worker->compressor) {
        compress(worker, shipment); /* now: burying wants the scratch buffer, too */
        swap_body(worker, shipment);
    }
    if (taken < req->count) sl_settle__cut(worker, shipment, taken, fresh);
    if (!sl_settle__refused(worker, shipment)) return false;
    sl_former_learn(&worker->former, shipment);
    if (req->size > worker->former.max_bytes && req->count > 1) {
        sl_settle__split(worker, shipment);
        return false;
    }
    shipment->encoded = true;
    hold(worker, shipment);
    return true;
}

/* ---- sending ---- */

/* When no address answers at all, the first thing to do is to prepare anew: a small request finds out whether
 * the server is back, and what it is then. */
static void note_lost_server(sl_output_worker *worker, const sl_answer *answer)
{
    if (answer->transport == SL_TRANSPORT_OK || !worker->ops->prepare) return;
    if (sl_http_client_healthy(worker->client) > 0 || worker->prepare != SL_PREPARE_DONE) return;
    worker->prepare = SL_PREPARE_NEEDED;
    worker->prepare_at_ns = sl_clock_mono_ns() + sl_backoff_next(&worker->prepare_backoff);
}

static bool wants_less(const sl_answer *answer, const sl_verdict *verdict)
{
    if (sl_answer_is_pressure(answer) || verdict->cause == SL_CAUSE_PRESSURE) return true;
    for (uint32_t i = 0; verdict->kind == SL_VERDICT_PARTIAL && i < verdict->count; i++) {
        if (verdict->each[i].kind == SL_VERDICT_RETRY) return true;
    }
    return false;
}

/* The request is to be sent again, though its answer tells neither of a service that is busy nor of an
 * address that is gone: what stands there is not what was expected, and another address may be. */
static bool is_strange(const sl_answer *answer, const sl_verdict *verdict)
{
    return answer->transport == SL_TRANSPORT_OK && verdict->kind == SL_VERDICT_RETRY &&
           verdict->cause == SL_CAUSE_UNKNOWN && !sl_answer_is_pressure(answer);
}

static void on_answer(void *arg, const sl_answer *answer)
{
    sl_shipment *shipment = arg;
    sl_output_worker *worker = shipment->worker;
    shipment->call = NULL;
    sl_shipments_remove(shipment);
    sl_verdict verdict;
    sl_verdict_init(&verdict, &shipment->req);
    sl_verdict_of(answer, &verdict);
    if (worker->ops->judge) worker->ops->judge(worker->self, &shipment->req, answer, &verdict);
    sl_in_flight_done(&worker->in_flight, shipment->sent_ns, sl_clock_mono_ns(),
                      wants_less(answer, &verdict));
    note_lost_server(worker, answer);
    bool strange = is_strange(answer, &verdict);
    if (answer->transport == SL_TRANSPORT_OK) sl_http_client_trust(worker->client, answer, !strange);
    shipment->lost_address = strange || sl_answer_is_address_lost(answer);
    shipment->was_too_large = answer->status == 413;
    sl_settle__verdict(worker, shipment, &verdict);
    sl_worker__pump(worker);
}

/* The headers of this attempt. False: the plugin has none now. */
static bool add_headers(sl_output_worker *worker, sl_http_send *send, const char *action)
{
    if (!worker->ops->headers) return true;
    sl_outgoing out = {.method = send->method,
                       .path = send->path,
                       .content_type = send->content_type,
                       .content_encoding = send->content_encoding,
                       .body = send->body,
                       .action = action};
    return worker->ops->headers(worker->self, &out, &send->headers, &send->header_count);
}

static void prepare_anew(sl_output_worker *worker)
{
    if (worker->prepare != SL_PREPARE_DONE) return;
    worker->prepare = SL_PREPARE_NEEDED;
    worker->prepare_at_ns = 0;
}

bool sl_http_output__send(sl_output_worker *worker, sl_shipment *shipment)
{
    const sl_request *req = &shipment->req;
    sl_http_send send = {.method = req->method,
                         .path = sl_buf_span(&req->path),
                         .content_type = req->content_type,
                         .content_encoding = sl_compress_name(http_conf(worker)->compress),
                         .body = sl_buf_span(worker->compressor ? &shipment->wire : &req->body),
                         .answered = on_answer,
                         .arg = shipment};
    if (!add_headers(worker, &send, NULL)) {
        prepare_anew(worker);
        return false;
    }
    shipment->call = sl_http_client_send(worker->client, &send);
    return true;
}

/* ---- the plugin's own requests ---- */

static void answer_own(sl_own_call *own, const sl_answer *answer)
{
    sl_output_worker *worker = own->worker;
    void (*answered)(void *self, const sl_answer *answer, void *arg) = own->answered;
    void *answered_arg = own->arg;
    free_own_call(own);
    answered(worker->self, answer, answered_arg);
    sl_worker__pump(worker);
}

static void on_own_answer(void *arg, const sl_answer *answer)
{
    answer_own(arg, answer);
}

static void on_own_refused(sl_message *msg)
{
    sl_own_call *own = sl_container_of(msg, sl_own_call, refused);
    sl_answer answer = {.transport = SL_TRANSPORT_BROKEN, .error = "there are no credentials for it now"};
    if (own->given_up)
        free_own_call(own);
    else
        answer_own(own, &answer);
}

void sl_output_http_call(sl_output *out, const sl_output_call *call)
{
    sl_output_worker *worker = out->worker;
    sl_assert_on(worker->loop);
    sl_assert(worker->client);
    sl_own_call *own = sl_calloc(1, sizeof *own);
    *own = (sl_own_call){
        .worker = worker, .answered = call->answered, .arg = call->arg, .next = worker->own_calls};
    if (worker->own_calls) worker->own_calls->prev = own;
    worker->own_calls = own;
    own->body = call->body.len ? sl_strndup(call->body.ptr, call->body.len) : NULL;
    const char *type = call->content_type ? call->content_type : "application/json";
    sl_http_send send = {.method = call->method,
                         .path = sl_span_of(call->path),
                         .content_type = call->body.len ? type : NULL,
                         .body = {own->body, call->body.len},
                         .answered = on_own_answer,
                         .arg = own};
    if (add_headers(worker, &send, call->action)) {
        own->call = sl_http_client_send(worker->client, &send);
        return;
    }
    prepare_anew(worker);
    own->refused.run = on_own_refused;
    sl_loop_post(worker->loop, &own->refused);
}

/* ---- preparing ---- */

bool sl_http_output__is_ready(sl_output_worker *worker)
{
    if (worker->prepare == SL_PREPARE_DONE) return true;
    if (worker->prepare == SL_PREPARE_NEEDED && sl_clock_mono_ns() >= worker->prepare_at_ns) {
        worker->prepare = SL_PREPARE_RUNNING;
        worker->ops->prepare(worker->self);
    }
    return worker->prepare == SL_PREPARE_DONE;
}

void sl_output_ready(sl_output *out)
{
    sl_output_worker *worker = out->worker;
    sl_assert_on(worker->loop);
    worker->prepare = SL_PREPARE_DONE;
    worker->prepare_at_ns = 0;
    sl_backoff_reset(&worker->prepare_backoff);
    sl_worker__clear_trouble(worker);
    open_client(worker);
    sl_assert(worker->client);
    sl_worker__pump_soon(worker);
}

void sl_output_not_ready(sl_output *out, const sl_err *why)
{
    sl_output_worker *worker = out->worker;
    sl_assert_on(worker->loop);
    worker->prepare = SL_PREPARE_NEEDED;
    worker->prepare_at_ns = sl_clock_mono_ns() + sl_backoff_next(&worker->prepare_backoff);
    sl_log_limited(&worker->retry_limit, SL_LOG_WARN, worker->log_name, "not ready, trying again: %s",
                   why->text);
    sl_worker__set_trouble(worker, why->text, worker->prepare_at_ns);
    sl_worker__pump_soon(worker);
}
