/* parse_int.h: what the files of the parse filter share. */
#ifndef SLUICE_PARSE_INT_H
#define SLUICE_PARSE_INT_H

#include <sluice/plugin.h>

typedef enum parse_on_error { ON_ERROR_KEEP, ON_ERROR_DROP, ON_ERROR_DEAD_LETTER } parse_on_error;

/* A field that may hold the time. */
typedef struct time_candidate {
    sl_path *path;
    bool is_timestamp; /* it is the top-level "@timestamp" itself */
} time_candidate;

typedef struct parse_time_conf {
    sl_list fields; /* sl_path * */
    bool fields_set;
    sl_span format; /* empty: recognised */
    sl_span zone;
    bool keep;
    /* made by parse_time_check() */
    time_candidate *candidates;
    uint32_t count;
    sl_time_format *compiled; /* NULL: recognised */
    sl_timezone *timezone;
    sl_path *original; /* where an "@timestamp" that is no time goes */
} parse_time_conf;

typedef struct parse_conf {
    int format;
    sl_path *field; /* NULL: the line */
    int on_error;   /* parse_on_error */
    sl_span error_field;
    parse_time_conf time;
    sl_path *error_path; /* made from error_field */
} parse_conf;

extern const sl_option parse_time_options[];

/* Fills what is made; field: the parse filter's own option, may be NULL. 0 or SL_E_CONFIG. */
int parse_time_check(parse_time_conf *conf, const sl_path *field, sl_err *err);
void parse_time_release(parse_time_conf *conf);

/* What happened to a record's time, for the counters. */
typedef enum parse_time_result {
    PARSE_TIME_FOUND,
    PARSE_TIME_NONE, /* no field that could hold it: the time of reading stays */
    PARSE_TIME_BAD,  /* a field is there but holds no time: the time of reading stays */
} parse_time_result;

/* Sets the record's time from its fields and settles its "@timestamp". *bad is the field that held no time,
 * for BAD. */
parse_time_result parse_time_apply(const parse_time_conf *conf, sl_batch *batch, sl_record *rec,
                                   const sl_path **bad);

#endif
