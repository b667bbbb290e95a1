/* Broken configurations of a fixed set of plugins: tests/golden/config. */
#include "check_main.h"
#include "conf_golden.h"
#include "conf_plugins.h"

START_TEST(conf_golden__every_broken_configuration_gets_its_answer)
{
    sl_test_conf_golden("config", 25);
}
END_TEST

SL_TEST_MAIN("conf_golden", conf_golden__every_broken_configuration_gets_its_answer)
