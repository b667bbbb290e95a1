#include "kafka_input_scene.h"

/* A client that is lost. */

static void fail_here(void *arg)
{
    member *m = arg;
    rd_kafka_test_fatal_error(kafka_client_handle(m->self->client), RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID,
                              "fenced by the test");
}

/* What was read and not safe is read again; receipts of before move nothing. */
START_TEST(kafka_input__a_fatal_error_makes_the_client_anew)
{
    static scene s;
    begin(&s, "");
    member_start(&s.m);
    member_hold_receipts(&s.m, true);
    writer_numbers(&s.w, "logs", PARTITIONS, 0, 100);
    member_wait(&s.m, 100);
    sl_loop_call_wait(s.m.in.loop, fail_here, &s.m);
    member_wait_trouble(&s.m, "fenced by the test");
    member_wait_metric(&s.m, "partitions_assigned", "", 0);
    member_hold_receipts(&s.m, false);
    member_wait(&s.m, 200);
    member_wait_trouble(&s.m, "");
    writer_numbers(&s.w, "logs", PARTITIONS, 100, 100);
    member_wait(&s.m, 300);
    settle();
    member_stop(&s.m);
    expect_numbers(&s.m, 100, 0, 200);
    end(&s);
}
END_TEST

SL_TEST_MAIN("kafka_input_fatal", kafka_input__a_fatal_error_makes_the_client_anew)
