/* test_language.c - which queries get the notice "does not look English". */
#include "query/language.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const others[] = {
    "der Hund springt in das Wasser",
    "ein Hund springt ins Wasser",
    "Hund springt ins Wasser",
    "zwei Kinder spielen im Garten",
    "eine Frau tanzt im Regen",
    "Mann f\303\244hrt Fahrrad",
    "Sonnenuntergang am Strand von oben mit einem Boot",
    "die Katze schl\303\244ft auf dem Sofa",
    "un chien saute dans l'eau",
    "une femme danse sous la pluie",
    "le chat dort sur le canap\303\251",
    "des enfants jouent au ballon dans la rue",
    "un perro salta al agua",
    "una mujer baila en la calle",
    "el gato duerme en el sof\303\241",
    "ni\303\261os jugando con una pelota",
    "um cachorro pula na \303\241gua",
    "uma mulher dan\303\247a na rua",
    "un cane salta nell'acqua",
    "una donna balla sotto la pioggia di notte",
    "een hond springt in het water",
    "een vrouw danst op straat",
    "en hund hoppar i vattnet och simmar",
    "en kvinde danser med sin hund p\303\245 gaden",
    "pies skacze do wody",
    "kobieta ta\305\204czy na ulicy",
    "bir k\303\266pek suya atl\304\261yor",
    "koira hypp\303\244\303\244 veteen",
    "\321\201\320\276\320\261\320\260\320\272\320\260 "
    "\320\277\321\200\321\213\320\263\320\260\320\265\321\202",
    "\347\213\227\350\267\263\345\205\245\346\260\264\344\270\255",
};
static const char *const ours[] = {
    "dog",
    "sunset",
    "Berlin",
    "a dog jumping into water",
    "a man plays die",
    "das boot on a lake",
    "a caf\303\251 in Paris",
    "two kids",
    "playing guitar",
    "mountain biking",
    "my daughter's first steps",
    "the Eiffel Tower at night \342\200\223 from above",
    "Mercedes",
    "red car",
    "los angeles at night",
    "skiing in the alps",
    "birthday cake",
    "",
    "red barn",
    "barn",
    "apple pies",
    "playing tag",
    "tag",
    "sugar cane",
    "be kind",
    "they met",
    "Dan and Adam",
    "pros and con",
    "rue",
    "goal",
    "someone opens a door",
    "\360\237\220\266 dog",
    "2 people",
    "jumping on a trampoline in der regen",
    "salsa dancing",
    "Las Vegas strip at night",
};

START_TEST(other_languages_get_a_notice)
{
    ck_assert_msg(!ks_looks_english(others[_i]), "\"%s\" passes", others[_i]);
}
END_TEST

START_TEST(english_gets_none)
{
    ck_assert_msg(ks_looks_english(ours[_i]), "\"%s\" is doubted", ours[_i]);
}
END_TEST

/* Every question and every absent thing of the demo. */
START_TEST(the_demo_is_english)
{
    static const char *const files[] = {"models/demo/questions.txt", "models/demo/absent.txt"};
    FILE *f = fopen(files[_i], "r");
    char line[512];
    int n = 0;

    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\t\n")] = 0;
        if (*line && *line != '#') {
            ck_assert_msg(ks_looks_english(line), "\"%s\" is doubted", line);
            n++;
        }
    }
    fclose(f);
    ck_assert_int_ge(n, 40);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("language");
    TCase *c = tcase_create("language");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_loop_test(c, other_languages_get_a_notice, 0, sizeof others / sizeof *others);
    tcase_add_loop_test(c, english_gets_none, 0, sizeof ours / sizeof *ours);
    tcase_add_loop_test(c, the_demo_is_english, 0, 2);
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
