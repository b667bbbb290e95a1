/* kafka_input_scene.h: one topic of four partitions on a mock cluster, a writer, and a member of group `g`.
 * Included by one .c of a program. */
#ifndef KAFKA_INPUT_SCENE_H
#define KAFKA_INPUT_SCENE_H

#include "kafka_input_rig.h"

#define PARTITIONS 4

typedef struct scene {
    kafka_mock mock;
    writer w;
    member m;
} scene;

static inline void begin(scene *s, const char *options)
{
    kafka_mock_start(&s->mock, 1);
    ck_assert_int_eq(rd_kafka_mock_topic_create(s->mock.cluster, "logs", PARTITIONS, 1), 0);
    writer_init(&s->w, &s->mock);
    const char *said = member_init(&s->m, &s->mock, "topics: [logs], group: g, %s", options);
    ck_assert_msg(!said[0], "%s", said);
}

static inline void end(scene *s)
{
    member_release(&s->m);
    writer_end(&s->w);
    kafka_mock_stop(&s->mock);
}

/* Numbers [from, from + count), each once, in order within each partition, from record `first` on. */
static inline void expect_numbers(member *m, size_t first, int from, int count)
{
    int last[PARTITIONS] = {-1, -1, -1, -1};
    bool *has = sl_calloc((size_t)count, sizeof *has);
    ck_assert_uint_eq(m->in.count - first, (size_t)count);
    for (size_t i = first; i < m->in.count; i++) {
        int n = number_of(&m->in.recs[i]);
        ck_assert(n >= from && n < from + count && !has[n - from]);
        ck_assert_int_gt(n, last[n % PARTITIONS]);
        last[n % PARTITIONS] = n;
        has[n - from] = true;
    }
    sl_free(has);
}

static inline void settle(void)
{
    usleep(300 * 1000);
}

#endif
