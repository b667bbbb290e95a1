/* delivery_options.c: the options that every output has beside its plugin's own. */
#include "delivery.h"

#define FIELD(member) offsetof(sl_delivery_conf, member)

#define REQUEST(member) (FIELD(request.member) - FIELD(request))
#define RETRY(member)   (FIELD(retry.member) - FIELD(retry))

static const char *const auto_age[] = {"auto", NULL};
static const char *const auto_rate[] = {"auto", "off", NULL};

static const sl_option request_options[] = {
    {"max_bytes", SL_OPT_SIZE, REQUEST(max_bytes), .def = "1MiB", .min = 1024, .max = 1u << 30,
     .help = "Most bytes of a request, before compression; a single larger record is sent alone."},
    {"max_records", SL_OPT_INT, REQUEST(max_records), .def = "10000", .min = 1, .max = 1000000,
     .unit = "records", .help = "Most records of a request."},
    {"max_age", SL_OPT_DURATION, REQUEST(max_age_ns), .def = "auto", .min = 0, .max = 3.6e12,
     .names = auto_age,
     .help =
         "Longest wait of a record for company. The first records after a pause of this length are sent at "
         "once; while more keep coming, requests that are not full are this far apart. `auto`: 15ms, unless "
         "the output says otherwise."},
    {"concurrency", SL_OPT_INT, REQUEST(concurrency), .def = "8", .min = 1, .max = 1024, .unit = "requests",
     .help = "Most requests under way at once. Below that the number is found by itself: it grows while "
             "answers come "
             "as fast as before, and is halved by 429, 5xx and time-outs."},
    {"max_per_second", SL_OPT_INT, REQUEST(max_per_second), .def = "auto", .min = 1, .max = 1000000,
     .names = auto_rate, .unit = "requests",
     .help =
         "Most requests a second, repetitions too, evenly spread. `auto`: no limit, unless the output says "
         "otherwise. `off`: no limit."},
    {0}};

static const sl_option retry_options[] = {
    {"initial", SL_OPT_DURATION, RETRY(initial_ns), .def = "500ms", .min = 1e6, .max = 3.6e12,
     .help = "Longest wait before the first repetition; it doubles with each further one. The wait is drawn "
             "from the "
             "whole range, and a longer `Retry-After` of the server is kept."},
    {"max", SL_OPT_DURATION, RETRY(max_ns), .def = "30s", .min = 1e6, .max = 8.64e13,
     .help = "Longest wait between repetitions."},
    {"max_age", SL_OPT_DURATION, RETRY(max_age_ns), .def = "0s", .min = 0, .max = 3.2e16,
     .help = "Records that still fail this long after their first attempt go to the dead letters. `0s`: "
             "never, they "
             "are tried for ever."},
    {0}};

sl_delivery_conf sl_delivery_resolve(const sl_delivery_conf *conf, const sl_output_ops *ops)
{
    sl_delivery_conf resolved = *conf;
    if (resolved.request.max_age_ns < 0)
        resolved.request.max_age_ns = ops->max_age_ns ? ops->max_age_ns : SL_REQUEST_MAX_AGE_NS;
    if (resolved.request.max_per_second == -1) resolved.request.max_per_second = (int64_t)ops->max_per_second;
    if (resolved.request.max_per_second < 0) resolved.request.max_per_second = 0;
    return resolved;
}

const sl_option sl_delivery_options[] = {
    {"when", SL_OPT_CONDITION, FIELD(when), .help = "Only records for which this holds are sent."},
    {"request", SL_OPT_GROUP, FIELD(request), .rows = request_options, .help = "What goes into one request."},
    {"retry", SL_OPT_GROUP, FIELD(retry), .rows = retry_options, .help = "When a request is repeated."},
    {0}};
