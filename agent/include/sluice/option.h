/* option.h: option rows. A plugin declares each of its options once, as a row; the same rows parse and
 * validate the configuration, report errors with file:line:column, print `sluice plugins NAME`, and write the
 * reference and the JSON schema.
 *
 * A row tells where the parsed value goes: `offset` into the plugin's configuration struct, which the core
 * allocates zeroed and frees. Everything a value points to lives as long as that struct. After parsing it is
 * read-only and may be read from any thread.
 *
 *   typedef struct { sl_list path; sl_span read_from…; uint64_t max_line; } tail_conf;
 *   static const sl_option tail_options[] = {
 *       {"path", SL_OPT_STRING, offsetof(tail_conf, path),
 *        .flags = SL_OPT_LIST | SL_OPT_REQUIRED | SL_OPT_MAIN,
 *        .help = "Files to follow: paths or globs, `**` for any number of folders."},
 *       {"max_line", SL_OPT_SIZE, offsetof(tail_conf, max_line), .def = "1MiB", .min = 256, .max = 256 << 20,
 *        .help = "Longer lines are cut there, marked and counted."},
 *       {0}};
 */
#ifndef SLUICE_OPTION_H
#define SLUICE_OPTION_H

#include <sluice/base.h>

/* The type of a row, the C type of its field, and how it is written. */
typedef enum sl_opt_type {
    SL_OPT_NONE,      /* ends a table */
    SL_OPT_BOOL,      /* bool            true, false */
    SL_OPT_INT,       /* int64_t         12 */
    SL_OPT_FLOAT,     /* double          0.5 */
    SL_OPT_SIZE,      /* uint64_t bytes  64MiB, 10kB, 512 */
    SL_OPT_DURATION,  /* int64_t ns      5s, 100ms, 1h30m, 7d */
    SL_OPT_FRACTION,  /* double 0..1     5%, 0.05 */
    SL_OPT_STRING,    /* sl_span         NUL-terminated behind its end */
    SL_OPT_SECRET,    /* sl_span         the same, but never printed: shown as *** */
    SL_OPT_ENUM,      /* int             one of `names`; the field holds its position */
    SL_OPT_PATH,      /* sl_path *       a field path: user.email */
    SL_OPT_TEMPLATE,  /* sl_template *   booking-%Y.%m.%d-{{ service }} */
    SL_OPT_CONDITION, /* sl_condition *  'statusCode >= 500' */
    SL_OPT_REGEX,     /* sl_regex *      a PCRE2 expression */
    SL_OPT_JSON,      /* sl_span         any YAML value, given as JSON text */
    SL_OPT_GROUP,     /* a nested struct in place, with rows of its own; a row flagged MAIN takes a scalar */
    SL_OPT_MAP,       /* sl_list of sl_opt_pair: a free map from text to text, in the order written */
} sl_opt_type;

enum {
    SL_OPT_REQUIRED = 1,
    SL_OPT_MAIN = 2, /* `plugin: value` means `plugin: {<main>: value}`; at most one a table */
    SL_OPT_LIST = 4, /* the field is an sl_list of the type; a single value is a list of one. With GROUP:
                        sl_list of structs of row_size */
    SL_OPT_UNIQUE =
        8, /* a STRING in an output's table: no two outputs of a configuration may have the same */
    SL_OPT_FILE =
        16, /* a STRING: path of a file that check() reads: another content of it is another option */
};

#define SL_MAX_OPTION_FILE (1u << 20) /* bytes of such a file */

/* Items of the C type that the row's type names, one after another. ENUM lists hold int, GROUP lists structs,
 * PATH lists sl_path *. */
typedef struct sl_list {
    void *items;
    size_t count;
} sl_list;
#define SL_LIST_AT(list, type, i) (((type *)(list).items)[i])

typedef struct sl_opt_pair {
    sl_span key, value;
} sl_opt_pair;

typedef struct sl_option {
    const char *name; /* snake_case */
    sl_opt_type type;
    size_t offset;
    const char *def; /* default as it would be written in YAML flow style; NULL: zero, or none */
    /* Range of numbers, sizes (bytes) and durations (ns); both 0: none; max 0 with another min: no upper end.
     * For a list: of each item. A value in `names` is outside it. */
    double min, max;
    unsigned flags; /* SL_OPT_* flags */
    /* NULL-terminated. ENUM: its values. INT, DURATION: words that may stand instead of a value (`auto`,
     * `off`); the field then holds -1 for the first, -2 for the second, …; min must be 0 or more. */
    const char *const *names;
    const struct sl_option *rows; /* GROUP */
    size_t row_size;              /* GROUP with LIST: sizeof of the struct */
    size_t set_offset;            /* 0, or offset of a bool that tells whether the option was written */
    const char *unit;             /* shown in the reference, e.g. "records"; NULL: by type */
    const char *help;             /* one or two sentences, Markdown inline code allowed */
} sl_option;

/* A compiled regular expression (PCRE2, UTF-8; JIT; with match limits). Immutable, any thread. */
typedef struct sl_regex sl_regex;
sl_regex *sl_regex_parse(sl_span pattern, sl_err *err); /* NULL: SL_E_SYNTAX with the column within pattern */
void sl_regex_free(sl_regex *regex);
sl_span sl_regex_text(const sl_regex *regex);
/* First match in text at or after `from`: true and its range, of whole characters, or false (also when a
 * match limit was hit: *limited true then). Text is UTF-8; bytes that are none match nothing. */
bool sl_regex_find(const sl_regex *regex, sl_span text, size_t from, size_t *start, size_t *end,
                   bool *limited);

/* For those who read an expression's named groups: at most this many groups, unnamed ones included. */
#define SL_REGEX_MAX_GROUPS 64
/* 0, SL_E_LIMIT (too many groups), or SL_E_EXISTS (two of the same name, which `(?J)` allows). */
int sl_regex_check_groups(const sl_regex *regex, sl_err *err);
uint32_t sl_regex_groups(const sl_regex *regex);           /* how many are named */
sl_span sl_regex_group(const sl_regex *regex, uint32_t i); /* a name; in the order in which they open */
/* The first match in a text that is valid UTF-8: groups[i] is what group i took, a part of the text; ptr
 * NULL: it took no part. False: no match, or *limited as above. Only for expressions that
 * sl_regex_check_groups() passed. groups has room for sl_regex_groups(). */
bool sl_regex_capture(const sl_regex *regex, sl_span text, sl_span *groups, bool *limited);

#endif
