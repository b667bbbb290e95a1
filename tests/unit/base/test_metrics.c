#include "base/metrics.h"
#include "check_main.h"

static char somebody, nobody_else;

START_TEST(metrics__equal_cells_are_added_and_families_said_once)
{
    const char *a[] = {"output", "sea\"rch\n", NULL}, *b[] = {"output", "file", NULL};
    sl_counter_add(sl_metrics_new(&somebody, SL_METRIC_COUNTER, "sluice_z_total", "Records.", a), 3);
    sl_counter_add(sl_metrics_new(&somebody, SL_METRIC_COUNTER, "sluice_z_total", "Records.", a), 4);
    sl_counter_add(sl_metrics_new(&somebody, SL_METRIC_COUNTER, "sluice_z_total", "Records.", b), 1);
    sl_counter_set(sl_metrics_new(&somebody, SL_METRIC_GAUGE, "sluice_a_bytes", "Bytes.", NULL), 9);
    sl_buf out = SL_BUF_NONE;
    sl_metrics_write(&out);
    ck_assert_str_eq(sl_buf_cstr(&out),
                     "# TYPE sluice_a_bytes gauge\n# HELP sluice_a_bytes Bytes.\nsluice_a_bytes 9\n"
                     "# TYPE sluice_z counter\n# HELP sluice_z Records.\n"
                     "sluice_z_total{output=\"file\"} 1\n"
                     "sluice_z_total{output=\"sea\\\"rch\\n\"} 7\n");
    sl_buf_release(&out);
}
END_TEST

/* As over a reload: who comes next goes on counting, and what is no more has no size. */
START_TEST(metrics__what_an_owner_leaves_goes_on_with_the_next)
{
    const char *labels[] = {"input", "next", NULL};
    sl_counter *counter = sl_metrics_new(&somebody, SL_METRIC_COUNTER, "sluice_n_total", "Lines.", labels);
    sl_counter *other = sl_metrics_new(&nobody_else, SL_METRIC_COUNTER, "sluice_n_total", "Lines.", labels);
    sl_counter *gauge = sl_metrics_new(&somebody, SL_METRIC_GAUGE, "sluice_n_bytes", "Bytes.", labels);
    sl_counter_add(counter, 5);
    sl_counter_set(gauge, 100);
    sl_metrics_retire(&somebody);
    ck_assert_uint_eq(sl_counter_get(counter), 5);
    ck_assert_uint_eq(sl_counter_get(gauge), 0);
    ck_assert_ptr_eq(sl_metrics_new(&somebody, SL_METRIC_COUNTER, "sluice_n_total", "Lines.", labels),
                     counter);
    const char *others[] = {"input", "another", NULL};
    ck_assert_ptr_ne(sl_metrics_new(&somebody, SL_METRIC_GAUGE, "sluice_n_bytes", "Bytes.", others), gauge);
    sl_counter_add(other, 1);
    ck_assert_uint_eq(sl_counter_get(counter), 5);
}
END_TEST

SL_TEST_MAIN("metrics", metrics__equal_cells_are_added_and_families_said_once,
             metrics__what_an_owner_leaves_goes_on_with_the_next)
