/* language.h - a guess whether a query is English, good enough for a notice. */
#ifndef KS_LANGUAGE_H
#define KS_LANGUAGE_H

/* 0: another script, or more words that only other languages have than words that only English
 * has. UTF-8. */
int ks_looks_english(const char *words);

#endif
