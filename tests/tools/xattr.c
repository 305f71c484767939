/* xattr PATH: print each extended attribute as NAME=VALUE (what is not printable as \xHH), sorted by nothing;
 * xattr PATH NAME VALUE: set one. Links are not followed. Debian has no such program in its base system. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

int main(int argc, char **argv)
{
	static char names[65536], value[65536];
	if (argc == 4)
		return lsetxattr(argv[1], argv[2], argv[3], strlen(argv[3]), 0) ? (perror("xattr"), 1) : 0;
	ssize_t len = argc == 2 ? llistxattr(argv[1], names, sizeof names) : -1;
	if (len < 0)
		return perror("xattr"), 1;
	for (char *name = names; name < names + len; name += strlen(name) + 1) {
		ssize_t n = lgetxattr(argv[1], name, value, sizeof value);
		printf("%s=", name);
		for (ssize_t i = 0; i < n; i++)
			printf(isprint((unsigned char)value[i]) ? "%c" : "\\x%02x", (unsigned char)value[i]);
		putchar('\n');
	}
	return 0;
}
