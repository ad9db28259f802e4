#include "index/catalog.h"
