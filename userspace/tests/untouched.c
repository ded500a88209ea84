// SPDX-License-Identifier: GPL-2.0-only
/*
 * Not one of the suites, but run before and after all of them: fills pages of
 * memory that must not be written with a pattern, and checks that it is
 * unchanged. Prints KTAP.
 *
 * usage: untouched fill|check ADDRESS[,ADDRESS]...
 *
 * Catches: SRAM that is allocated although another component owns it.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE	4096

static uint32_t pattern(unsigned long address, unsigned int i)
{
	return (address + i + 1) * 2654435761U;
}

/* Returns the number of words that are wrong or inaccessible. */
static unsigned int treat_page(int fd, unsigned long address, bool fill)
{
	unsigned int i, words = PAGE / sizeof(uint32_t), wrong = 0;
	volatile uint32_t *page;

	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    address);
	if (page == MAP_FAILED)
		return words;
	for (i = 0; i < words; i++) {
		if (fill)
			page[i] = pattern(address, i);
		wrong += page[i] != pattern(address, i);
	}
	munmap((void *)page, PAGE);
	return wrong;
}

int main(int argc, char **argv)
{
	unsigned int wrong = argc != 3, here;
	int fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	char *next = argc == 3 ? argv[2] : NULL, *address;

	printf("1..1\n");
	while ((address = strsep(&next, ","))) {
		here = treat_page(fd, strtoul(address, NULL, 0),
				  !strcmp(argv[1], "fill"));
		printf("# %s: %u words are wrong\n", address, here);
		wrong += here;
	}
	printf("%sok 1 untouched\n", wrong ? "not " : "");
	close(fd);
	return !!wrong;
}
