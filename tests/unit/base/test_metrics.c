#include "base/metrics.h"
#include "check_main.h"

START_TEST(metrics__equal_cells_are_added_and_families_said_once)
{
    const char *a[] = {"output", "sea\"rch\n", NULL}, *b[] = {"output", "file", NULL};
    sl_counter_add(sl_metrics_new(SL_METRIC_COUNTER, "sluice_z_total", "Records.", a), 3);
    sl_counter_add(sl_metrics_new(SL_METRIC_COUNTER, "sluice_z_total", "Records.", a), 4);
    sl_counter_add(sl_metrics_new(SL_METRIC_COUNTER, "sluice_z_total", "Records.", b), 1);
    sl_counter_set(sl_metrics_new(SL_METRIC_GAUGE, "sluice_a_bytes", "Bytes.", NULL), 9);
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

SL_TEST_MAIN("metrics", metrics__equal_cells_are_added_and_families_said_once)
