/* kafka_input_rig.h: the Kafka input against librdkafka's mock cluster, with a small pipeline of our own
 * behind it. Included by one .c of a program.
 *
 * A member is one input on a loop of its own. What it emits is noted; a receipt is released at once, or when
 * the test says so. member_kill() lets receipts go as unsafe, as the end of a process would.
 */
#ifndef KAFKA_INPUT_RIG_H
#define KAFKA_INPUT_RIG_H

#include "../../../plugins/inputs/kafka/kafka_input_int.h"
#include "../kafka/kafka_mock.h"
#include "plugin_conf.h"
#include <pthread.h>
#include <stdarg.h>
#include <unistd.h>

typedef struct rig_record {
    sl_id source, id;
    uint64_t origin;
    int64_t time_ns;
    uint16_t flags;
    char *text, *common;
} rig_record;

struct sl_receipt {
    struct sl_receipt *next;
    void (*released)(void *arg, bool safe);
    void *arg;
};

typedef struct rig_counter {
    char name[64], label[64];
    sl_counter cell;
} rig_counter;

struct sl_input {
    sl_loop *loop;
    bool once;
    bool full, hold_receipts, finished; /* atomic */
    pthread_mutex_t lock;
    sl_receipt *oldest, **newest;
    rig_record *recs; /* in the order of arrival */
    size_t count, cap;
    char trouble[512];
    rig_counter counters[64];
    size_t n_counters;
};

typedef struct member {
    struct sl_input in;
    kafka_input_conf conf;
    sl_test_conf read;
    kafka_input *self;
} member;

extern const sl_plugin sl_input_kafka;

/* ---- what the core gives an input ---- */

sl_loop *sl_input_loop(sl_input *in)
{
    return in->loop;
}
const char *sl_input_name(sl_input *in)
{
    return (void)in, "kafka test";
}
bool sl_input_once(sl_input *in)
{
    return in->once;
}
bool sl_input_may_read(sl_input *in)
{
    return !__atomic_load_n(&in->full, __ATOMIC_SEQ_CST);
}
void sl_input_finished(sl_input *in)
{
    ck_assert(!__atomic_exchange_n(&in->finished, true, __ATOMIC_SEQ_CST));
}

void sl_input_not_ready(sl_input *in, const sl_err *err)
{
    pthread_mutex_lock(&in->lock);
    snprintf(in->trouble, sizeof in->trouble, "%s", err->text);
    pthread_mutex_unlock(&in->lock);
}

void sl_input_ready(sl_input *in)
{
    pthread_mutex_lock(&in->lock);
    in->trouble[0] = '\0';
    pthread_mutex_unlock(&in->lock);
}

sl_counter *sl_input_counter_labelled(sl_input *in, const char *name, const char *help, const char *label,
                                      const char *value)
{
    (void)help, (void)label;
    pthread_mutex_lock(&in->lock);
    ck_assert_uint_lt(in->n_counters, SL_LEN(in->counters));
    rig_counter *counter = &in->counters[in->n_counters++];
    snprintf(counter->name, sizeof counter->name, "%s", name);
    snprintf(counter->label, sizeof counter->label, "%s", value ? value : "");
    pthread_mutex_unlock(&in->lock);
    return &counter->cell;
}

sl_counter *sl_input_counter(sl_input *in, const char *name, const char *help)
{
    return sl_input_counter_labelled(in, name, help, NULL, NULL);
}

sl_receipt *sl_receipt_new(sl_input *in, void (*released)(void *arg, bool safe), void *arg)
{
    (void)in;
    sl_receipt *receipt = sl_calloc(1, sizeof *receipt);
    *receipt = (sl_receipt){.released = released, .arg = arg};
    return receipt;
}

static inline void rig_release(sl_input *in, bool safe, size_t count)
{
    while (count-- && in->oldest) {
        sl_receipt *receipt = in->oldest;
        in->oldest = receipt->next;
        if (!in->oldest) in->newest = &in->oldest;
        receipt->released(receipt->arg, safe);
        sl_free(receipt);
    }
}

static inline void rig_release_safe(void *arg)
{
    rig_release(arg, true, SIZE_MAX);
}

static inline void rig_note(sl_input *in, const sl_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const sl_record *rec = &batch->recs[i];
        if (in->count == in->cap) {
            in->cap = in->cap ? in->cap * 2 : 256;
            in->recs = sl_realloc(in->recs, in->cap * sizeof *in->recs);
        }
        in->recs[in->count++] =
            (rig_record){.source = batch->source,
                         .id = sl_record_id(batch, rec),
                         .origin = rec->origin,
                         .time_ns = rec->time_ns,
                         .flags = rec->flags,
                         .text = sl_strndup(rec->text, rec->len),
                         .common = sl_strndup(batch->common.ptr ? batch->common.ptr : "", batch->common.len)};
    }
}

void sl_input_emit(sl_input *in, sl_batch *batch)
{
    sl_assert_on(in->loop);
    sl_assert(batch->count > 0 && batch->receipt);
    pthread_mutex_lock(&in->lock);
    rig_note(in, batch);
    pthread_mutex_unlock(&in->lock);
    *in->newest = batch->receipt;
    in->newest = &batch->receipt->next;
    batch->receipt = NULL;
    sl_batch_unref(batch);
    if (!__atomic_load_n(&in->hold_receipts, __ATOMIC_SEQ_CST)) sl_loop_call(in->loop, rig_release_safe, in);
}

/* ---- life of a member ---- */

/* Reads the configuration; what is wrong with it, or "". */
static inline const char *member_init(member *m, const kafka_mock *mock, const char *fmt, ...)
{
    static char yaml[2048], said[2048 + SL_ERR_TEXT_MAX];
    char options[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(options, sizeof options, fmt, args);
    va_end(args);
    *m = (member){.in.once = false};
    pthread_mutex_init(&m->in.lock, NULL);
    m->in.newest = &m->in.oldest;
    /* The mock cluster has a group wait for about a session when a member has left, and for 3 s at first. */
    snprintf(yaml, sizeof yaml, "{brokers: [%s], commit: 100ms, statistics: 100ms, session_timeout: 4s, %s}",
             mock ? mock->brokers : "localhost:1", options);
    sl_err err = SL_ERR_NONE;
    bool right = sl_test_conf_read(&m->read, "input `kafka`", sl_input_kafka.options, &m->conf, yaml);
    if (right) sl_input_kafka.check(&m->conf, &err);
    snprintf(said, sizeof said, "%s%s", m->read.said, err.text);
    return said;
}

static inline void member_start_here(void *arg)
{
    member *m = arg;
    sl_err err = SL_ERR_NONE;
    m->self = sl_input_kafka.input->start(&m->in, &m->conf, &err);
    ck_assert_msg(m->self != NULL, "%s", err.text);
}

static inline void member_start(member *m)
{
    m->in.n_counters = 0;
    m->in.finished = false;
    m->in.loop = sl_loop_new("rig");
    sl_loop_call_wait(m->in.loop, member_start_here, m);
}

static inline void member_stop_here(void *arg)
{
    member *m = arg;
    sl_input_kafka.input->stop(m->self);
    rig_release(&m->in, true, SIZE_MAX);
    sl_input_kafka.input->free(m->self);
}

static inline void member_kill_here(void *arg)
{
    member *m = arg;
    sl_input_kafka.input->stop(m->self);
    rig_release(&m->in, false, SIZE_MAX);
    sl_input_kafka.input->free(m->self);
}

static inline void member_end(member *m, void (*how)(void *arg))
{
    sl_loop_call_wait(m->in.loop, how, m);
    sl_loop_free(m->in.loop);
    m->self = NULL;
}

static inline void member_stop(member *m)
{
    member_end(m, member_stop_here);
}
static inline void member_kill(member *m)
{
    member_end(m, member_kill_here);
}

static inline void member_release(member *m)
{
    if (m->self) member_stop(m);
    for (size_t i = 0; i < m->in.count; i++) {
        sl_free(m->in.recs[i].text);
        sl_free(m->in.recs[i].common);
    }
    sl_free(m->in.recs);
    sl_test_conf_end(&m->read);
    pthread_mutex_destroy(&m->in.lock);
}

static inline void member_resume_here(void *arg)
{
    member *m = arg;
    sl_input_kafka.input->resume(m->self);
}

static inline void member_set_full(member *m, bool full)
{
    __atomic_store_n(&m->in.full, full, __ATOMIC_SEQ_CST);
    if (!full) sl_loop_call_wait(m->in.loop, member_resume_here, m);
}

static inline void member_hold_receipts(member *m, bool hold)
{
    __atomic_store_n(&m->in.hold_receipts, hold, __ATOMIC_SEQ_CST);
    if (!hold) sl_loop_call_wait(m->in.loop, rig_release_safe, &m->in);
}

/* ---- what came ---- */

static inline size_t member_count(member *m)
{
    pthread_mutex_lock(&m->in.lock);
    size_t count = m->in.count;
    pthread_mutex_unlock(&m->in.lock);
    return count;
}

static inline void member_wait(member *m, size_t count)
{
    for (int i = 0; i < 40000 && member_count(m) < count; i++)
        usleep(1000);
    ck_assert_uint_ge(member_count(m), count);
}

static inline uint64_t member_metric(member *m, const char *name, const char *label)
{
    uint64_t value = 0;
    bool known = false;
    pthread_mutex_lock(&m->in.lock);
    for (size_t i = 0; i < m->in.n_counters; i++) {
        const rig_counter *counter = &m->in.counters[i];
        if (strcmp(counter->name, name) != 0 || strcmp(counter->label, label) != 0) continue;
        value += __atomic_load_n(&counter->cell.value, __ATOMIC_RELAXED);
        known = true;
    }
    pthread_mutex_unlock(&m->in.lock);
    return known ? value : UINT64_MAX;
}

static inline void member_wait_metric(member *m, const char *name, const char *label, uint64_t value)
{
    for (int i = 0; i < 20000 && member_metric(m, name, label) != value; i++)
        usleep(1000);
    ck_assert_uint_eq(member_metric(m, name, label), value);
}

static inline bool member_trouble(member *m, const char *part)
{
    pthread_mutex_lock(&m->in.lock);
    bool is = part[0] ? strstr(m->in.trouble, part) != NULL : m->in.trouble[0] == '\0';
    pthread_mutex_unlock(&m->in.lock);
    return is;
}

static inline void member_wait_trouble(member *m, const char *part)
{
    for (int i = 0; i < 40000 && !member_trouble(m, part); i++)
        usleep(1000);
    ck_assert_msg(member_trouble(m, part), "`%s`, not `%s`", m->in.trouble, part);
}

/* ---- producing ---- */

typedef struct writer {
    rd_kafka_t *rk;
} writer;

static inline void writer_init(writer *w, const kafka_mock *mock)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    kafka_mock_set(conf, "bootstrap.servers", mock->brokers);
    kafka_mock_set(conf, "linger.ms", "1");
    w->rk = kafka_mock_client(RD_KAFKA_PRODUCER, conf);
}

static inline void writer_flush(writer *w)
{
    ck_assert_int_eq(rd_kafka_flush(w->rk, 20000), 0);
}

static inline void writer_end(writer *w)
{
    writer_flush(w);
    rd_kafka_destroy(w->rk);
}

/* value NULL: a tombstone. */
static inline void writer_send(writer *w, const char *topic, int partition, const char *key,
                               const char *value, size_t len)
{
    rd_kafka_resp_err_t code = rd_kafka_producev(
        w->rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_KEY(key, key ? strlen(key) : 0), RD_KAFKA_V_VALUE((void *)(uintptr_t)value, len),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    ck_assert_int_eq(code, 0);
}

/* {"n":<from>} and so on, spread over the partitions, and waits until the brokers have them. */
static inline void writer_numbers(writer *w, const char *topic, int partitions, int from, int count)
{
    char text[32];
    for (int n = from; n < from + count; n++) {
        int len = snprintf(text, sizeof text, "{\"n\":%d}", n);
        writer_send(w, topic, n % partitions, NULL, text, (size_t)len);
    }
    writer_flush(w);
}

static inline int number_of(const rig_record *rec)
{
    int n = -1;
    ck_assert_msg(sscanf(rec->text, "{\"n\":%d}", &n) == 1, "%s", rec->text);
    return n;
}

#endif
