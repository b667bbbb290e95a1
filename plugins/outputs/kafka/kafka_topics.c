/* kafka_topics.c: handles of topics by name.
 *
 * librdkafka finds a topic by its name too, but by comparing with each that it has, and under a lock.
 */
#include "kafka_int.h"

#define FIRST_CAP           64
#define MISSING_PATIENCE_NS (10 * SL_NS_PER_S) /* librdkafka asks for it once a second */

/* ---- one topic ---- */

rd_kafka_topic_t *kafka_topic_new(rd_kafka_t *rk, const char *name, rd_kafka_topic_conf_t *conf)
{
    kafka_topic_life *life = sl_calloc(1, sizeof *life);
    rd_kafka_topic_conf_set_opaque(conf, life);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, conf);
    if (topic) return topic;
    rd_kafka_topic_conf_destroy(conf);
    sl_free(life);
    return NULL;
}

void kafka_topic_free(rd_kafka_topic_t *topic)
{
    if (!topic) return;
    kafka_topic_life *life = rd_kafka_topic_opaque(topic);
    rd_kafka_topic_destroy(topic);
    sl_free(life);
}

void kafka_topic_took_record(const rd_kafka_topic_t *topic)
{
    *(kafka_topic_life *)rd_kafka_topic_opaque(topic) = (kafka_topic_life){.was_there = true};
}

bool kafka_topic_may_return(const rd_kafka_topic_t *topic)
{
    kafka_topic_life *life = rd_kafka_topic_opaque(topic);
    if (!life->was_there) return false;
    int64_t now = sl_clock_mono_ns();
    if (!life->missing_ns) life->missing_ns = now;
    return now - life->missing_ns < MISSING_PATIENCE_NS;
}

/* ---- all of them ---- */

static uint64_t hash(sl_span name) /* FNV-1a */
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ (unsigned char)name.ptr[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* Its slot, or the free one where it belongs. */
static kafka_topic *slot_of(const kafka_topics *topics, sl_span name)
{
    size_t mask = topics->cap - 1;
    for (size_t at = hash(name) & mask;; at = (at + 1) & mask) {
        kafka_topic *slot = &topics->slots[at];
        if (!slot->name || sl_span_is((sl_span){slot->name, slot->len}, name)) return slot;
    }
}

rd_kafka_topic_t *kafka_topics_find(const kafka_topics *topics, sl_span name)
{
    return topics->count ? slot_of(topics, name)->handle : NULL;
}

static void grow(kafka_topics *topics)
{
    kafka_topics larger = {.cap = topics->cap ? topics->cap * 2 : FIRST_CAP, .count = topics->count};
    larger.slots = sl_calloc(larger.cap, sizeof *larger.slots);
    for (size_t i = 0; i < topics->cap; i++) {
        const kafka_topic *slot = &topics->slots[i];
        if (slot->name) *slot_of(&larger, (sl_span){slot->name, slot->len}) = *slot;
    }
    sl_free(topics->slots);
    *topics = larger;
}

void kafka_topics_add(kafka_topics *topics, sl_span name, rd_kafka_topic_t *handle)
{
    sl_assert(topics->count < KAFKA_MAX_TOPICS);
    if (topics->count * 2 >= topics->cap) grow(topics);
    *slot_of(topics, name) =
        (kafka_topic){.name = sl_strndup(name.ptr, name.len), .len = name.len, .handle = handle};
    topics->count++;
}

void kafka_topics_release(kafka_topics *topics)
{
    for (size_t i = 0; i < topics->cap; i++) {
        if (!topics->slots[i].name) continue;
        kafka_topic_free(topics->slots[i].handle);
        sl_free(topics->slots[i].name);
    }
    sl_free(topics->slots);
    *topics = (kafka_topics){0};
}
