#include "check_main.h"
#include "config/suggest.h"

static const char *const known[] = {"path",         "exclude", "read_from", "max_line",
                                    "ignore_older", "url",     "poll"};

START_TEST(suggest__finds_the_nearest_name_or_none)
{
    static const struct {
        const char *word, *want;
    } cases[] = {{"pth", "path"},
                 {"paht", "path"},
                 {"paths", "path"},
                 {"Path", "path"},
                 {"read-from", "read_from"},
                 {"readfrom", "read_from"},
                 {"maxline", "max_line"},
                 {"ingore_older", "ignore_older"},
                 {"uri", "url"},
                 {"urls", "url"},
                 {"include", "exclude"},
                 {"x", NULL},
                 {"", NULL},
                 {"frequency", NULL},
                 {"zzz", NULL},
                 {"pll", "poll"}};
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_suggest s = sl_suggest_for(sl_span_of(cases[i].word));
        for (size_t k = 0; k < SL_LEN(known); k++)
            sl_suggest_offer(&s, known[k]);
        const char *got = s.best ? s.best : "none", *want = cases[i].want ? cases[i].want : "none";
        ck_assert_msg(strcmp(got, want) == 0, "%s: %s, expected %s", cases[i].word, got, want);
    }
}
END_TEST

START_TEST(suggest__does_not_compare_words_of_any_length)
{
    char word[200];
    memset(word, 'a', sizeof word);
    sl_suggest s = sl_suggest_for((sl_span){word, sizeof word});
    sl_suggest_offer(&s, "aaaa");
    ck_assert_ptr_null(s.best);
}
END_TEST

SL_TEST_MAIN("suggest", suggest__finds_the_nearest_name_or_none,
             suggest__does_not_compare_words_of_any_length)
