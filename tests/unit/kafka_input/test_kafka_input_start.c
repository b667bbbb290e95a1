#include "kafka_input_scene.h"

/* Where reading begins and ends, and what keeps it from beginning. */

START_TEST(kafka_input__latest_begins_at_the_end)
{
    static scene s;
    begin(&s, "start: latest");
    writer_numbers(&s.w, "logs", PARTITIONS, 0, 100);
    member_start(&s.m);
    member_wait_metric(&s.m, "partitions_assigned", "", PARTITIONS);
    settle();
    settle();
    writer_numbers(&s.w, "logs", PARTITIONS, 100, 40);
    member_wait(&s.m, 40);
    settle();
    member_stop(&s.m);
    expect_numbers(&s.m, 0, 100, 40);
    end(&s);
}
END_TEST

/* The mock cluster knows no times: it says that nothing is as young as the one asked for. */
START_TEST(kafka_input__a_time_is_for_partitions_that_the_group_never_read)
{
    static scene s;
    begin(&s, "start: \"2024-05-01T12:00:00Z\"");
    writer_numbers(&s.w, "logs", PARTITIONS, 0, 100);
    member_start(&s.m);
    member_wait_metric(&s.m, "partitions_assigned", "", PARTITIONS);
    settle();
    writer_numbers(&s.w, "logs", PARTITIONS, 100, 40);
    member_wait(&s.m, 40);
    member_stop(&s.m);
    writer_numbers(&s.w, "logs", PARTITIONS, 140, 60);
    member_start(&s.m);
    member_wait(&s.m, 100);
    member_stop(&s.m);
    expect_numbers(&s.m, 0, 100, 100);
    end(&s);
}
END_TEST

START_TEST(kafka_input__once_reads_to_the_end_and_finishes)
{
    static scene s;
    begin(&s, "");
    writer_numbers(&s.w, "logs", 3, 0, 900); /* one partition stays empty */
    s.m.in.once = true;
    member_start(&s.m);
    for (int i = 0; i < 20000 && !__atomic_load_n(&s.m.in.finished, __ATOMIC_SEQ_CST); i++)
        usleep(1000);
    ck_assert(s.m.in.finished);
    ck_assert_uint_eq(member_count(&s.m), 900);
    end(&s);
}
END_TEST

START_TEST(kafka_input__a_regular_expression_finds_topics)
{
    static scene s;
    begin(&s, "");
    member_release(&s.m);
    ck_assert_int_eq(rd_kafka_mock_topic_create(s.mock.cluster, "other", 1, 1), 0);
    ck_assert_int_eq(rd_kafka_mock_topic_create(s.mock.cluster, "logs-2", 1, 1), 0);
    ck_assert_str_eq(member_init(&s.m, &s.mock, "topics: [\"^logs\"], group: g"), "");
    writer_numbers(&s.w, "logs", PARTITIONS, 0, 40);
    writer_numbers(&s.w, "logs-2", 1, 40, 40);
    writer_numbers(&s.w, "other", 1, 80, 40);
    member_start(&s.m);
    member_wait(&s.m, 80);
    settle();
    ck_assert_uint_eq(member_count(&s.m), 80);
    end(&s);
}
END_TEST

START_TEST(kafka_input__a_topic_that_is_not_there_is_told)
{
    static scene s;
    begin(&s, "");
    member_release(&s.m);
    rd_kafka_mock_topic_set_error(s.mock.cluster, "absent", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    ck_assert_str_eq(member_init(&s.m, &s.mock, "topics: [absent], group: g"), "");
    member_start(&s.m);
    member_wait_trouble(&s.m, "absent");
    end(&s);
}
END_TEST

START_TEST(kafka_input__without_a_broker_it_is_not_ready_and_then_it_is)
{
    static scene s;
    begin(&s, "");
    rd_kafka_mock_broker_set_down(s.mock.cluster, 1);
    member_start(&s.m);
    member_wait_trouble(&s.m, "down");
    rd_kafka_mock_broker_set_up(s.mock.cluster, 1);
    member_wait_trouble(&s.m, "");
    writer_numbers(&s.w, "logs", PARTITIONS, 0, 40);
    member_wait(&s.m, 40);
    end(&s);
}
END_TEST

SL_TEST_MAIN("kafka_input_start", kafka_input__latest_begins_at_the_end,
             kafka_input__a_time_is_for_partitions_that_the_group_never_read,
             kafka_input__once_reads_to_the_end_and_finishes, kafka_input__a_regular_expression_finds_topics,
             kafka_input__a_topic_that_is_not_there_is_told,
             kafka_input__without_a_broker_it_is_not_ready_and_then_it_is)
