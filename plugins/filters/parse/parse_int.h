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

typedef struct parse_pattern parse_pattern;

typedef struct parse_conf {
    int format;        /* parse_format */
    sl_regex *pattern; /* as configured; NULL: none */
    sl_list types;     /* sl_opt_pair: group, type */
    sl_path *field;    /* NULL: the line */
    int on_error;      /* parse_on_error */
    sl_span error_field;
    parse_time_conf time;
    parse_pattern *groups; /* made by check(); NULL: JSON */
    sl_path *error_path;   /* made from error_field */
} parse_conf;

/* ---- results ---- */

/* Why a line is no record: 0 (it is one), a code of sl_json_error, or one of these. */
enum {
    PARSE_NOT_OBJECT = SL_JSON_NO_MEMORY + 1,
    PARSE_NO_MATCH,
    PARSE_MATCH_LIMIT, /* the pattern took too many steps */
    PARSE_REASONS,
};

/* What happened to a record's time. */
typedef enum parse_time_result {
    PARSE_TIME_FOUND,
    PARSE_TIME_NONE, /* no field that could hold it: the time of reading stays */
    PARSE_TIME_BAD,  /* a field is there but holds no time: the time of reading stays */
} parse_time_result;

/* What came of one line or field, for the counters and the log. */
typedef struct parse_result {
    int reason;
    uint32_t at;          /* JSON: the byte that is wrong */
    size_t replaced;      /* repaired characters */
    uint32_t unconverted; /* values that are not of their type */
    parse_time_result time;
    const sl_path *bad_time; /* BAD: the field */
} parse_result;

/* ---- JSON (parse_json.c) ---- */

/* A RAW record as JSON; unchanged where the result has a reason. */
parse_result parse_json_line(const parse_conf *conf, sl_batch *batch, sl_record *rec);
/* The text in conf->field; SL_JSON_EMPTY: there is none. */
parse_result parse_json_field(const parse_conf *conf, sl_batch *batch, sl_record *rec);

/* ---- patterns (parse_formats.c, parse_regex.c) ---- */

extern const char *const parse_format_names[];

#define PARSE_HEAD_MAX 40 /* bytes of `,"name":`; PCRE2's names have 32 at most */

/* A named group, and the member that it becomes. */
typedef struct parse_group {
    char head[PARSE_HEAD_MAX]; /* `,"name":` */
    uint32_t head_len;
    sl_convert type;
    const sl_path *time; /* the candidate for the time that it is, or NULL */
} parse_group;

struct parse_pattern {
    const sl_regex *regex;
    sl_regex *own; /* the same, where it is a format's and not the configuration's */
    uint32_t count;
    uint32_t time_count;
    uint8_t times[SL_REGEX_MAX_GROUPS]; /* groups that may hold the time, in the order of the candidates */
    bool has_truncated;                 /* a group is called so */
    parse_group groups[SL_REGEX_MAX_GROUPS];
};

/* Makes conf->groups from format, pattern and types, and gives conf->time the format's own;
 * parse_formats_link() then finds the groups that may hold the time, behind parse_time_check(). 0 or
 * SL_E_CONFIG. */
int parse_formats_check(parse_conf *conf, sl_err *err);
void parse_formats_link(parse_conf *conf);
void parse_formats_release(parse_conf *conf);

/* What is known while one batch is parsed. Lines of one second spell it alike, so its time is read once. */
#define PARSE_SAME_TIME_MAX 40
typedef struct parse_run {
    bool clashes; /* a group has the name of something that is joined to the batch's records */
    char same_time[PARSE_SAME_TIME_MAX];
    size_t same_len; /* 0: no time was read yet */
    int64_t same_ns;
} parse_run;

parse_run parse_regex_run(const parse_pattern *pattern, const sl_batch *batch);
/* As for JSON. */
parse_result parse_regex_line(const parse_conf *conf, parse_run *run, sl_batch *batch, sl_record *rec);
parse_result parse_regex_field(const parse_conf *conf, sl_batch *batch, sl_record *rec);

/* ---- times (parse_time.c) ---- */

extern const sl_option parse_time_options[];

/* Fills what is made; field: the parse filter's own option, may be NULL. 0 or SL_E_CONFIG. */
int parse_time_check(parse_time_conf *conf, const sl_path *field, sl_err *err);
void parse_time_release(parse_time_conf *conf);

/* The time in a text or number as it was written. now_ns: about when. */
bool parse_time_read(const parse_time_conf *conf, sl_span text, int64_t now_ns, int64_t *ns);
/* Sets the record's time from its fields and settles its "@timestamp". Fills `time` and `bad_time`. */
void parse_time_apply(const parse_time_conf *conf, sl_batch *batch, sl_record *rec, parse_result *result);

#endif
