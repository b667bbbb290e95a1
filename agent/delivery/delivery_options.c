/* delivery_options.c: the options that every output has beside its plugin's own. */
#include "delivery.h"

#define FIELD(member) offsetof(sl_delivery_conf, member)

#define REQUEST(member) (FIELD(request.member) - FIELD(request))
#define RETRY(member)   (FIELD(retry.member) - FIELD(retry))

static const sl_option request_options[] = {
    {"max_bytes", SL_OPT_SIZE, REQUEST(max_bytes), .def = "1MiB", .min = 1024, .max = 1u << 30,
     .help = "Most bytes of a request, before compression; a single larger record is sent alone."},
    {"max_records", SL_OPT_INT, REQUEST(max_records), .def = "10000", .min = 1, .max = 1000000,
     .unit = "records", .help = "Most records of a request."},
    {"max_age", SL_OPT_DURATION, REQUEST(max_age_ns), .def = "15ms", .min = 0, .max = 3.6e12,
     .help =
         "Longest wait of a record for company. The first records after a pause of this length are sent at "
         "once; while more keep coming, requests that are not full are this far apart."},
    {"concurrency", SL_OPT_INT, REQUEST(concurrency), .def = "8", .min = 1, .max = 1024, .unit = "requests",
     .help = "Most requests under way at once. Below that the number is found by itself: it grows while "
             "answers come "
             "as fast as before, and is halved by 429, 5xx and time-outs."},
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

const sl_option sl_delivery_options[] = {
    {"when", SL_OPT_CONDITION, FIELD(when), .help = "Only records for which this holds are sent."},
    {"request", SL_OPT_GROUP, FIELD(request), .rows = request_options, .help = "What goes into one request."},
    {"retry", SL_OPT_GROUP, FIELD(retry), .rows = retry_options, .help = "When a request is repeated."},
    {0}};
