# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Proof that each check finds what it is for: break_CHECK__WHAT breaks a rule
# in a copy of the tree, and CHECK alone must then fail.

break_unfinished__mark()
{
	echo 'static int later; /* TO''DO */' >>driver/dmacpy_drv.c
}

break_udev__device()
{
	sed -i 's/"dmacpy%d"/"dmacpy-%d"/' driver/dmacpy_cdev.c
}

break_udev__heap()
{
	sed -i 's/"sram-\*"/"sram"/' userspace/udev/70-dmacpy.rules
}

break_udev__group()
{
	sed -i 's/^g dmacpy /g dma /' userspace/sysusers.d/dmacpy.conf
}

break_traces__registry()
{
	echo 'from deb.''debian.org' >>README.md
}

break_traces__path()
{
	echo 'see /ro''ot/notes' >>README.md
}

break_licences__none()
{
	sed -i /SPDX/d Documentation/guide.rst
}

break_licences__library()
{
	sed -i 1s/LGPL-2.1-or-later/GPL-2.0-only/ userspace/lib/job.c
}

break_white_space__trailing()
{
	sed -i '$s/$/ /' README.md
}

break_white_space__end()
{
	printf x >>README.md
}

break_codespell__word()
{
	echo 'te''h' >>README.md
}

break_man__macro()
{
	echo '.Xr' >>userspace/man/libdmacpy.3
}

break_man__function()
{
	sed -i '/\.so man3/d' userspace/man/functions.awk
}

break_man__command()
{
	sed -i '/^\.Ss top$/d' userspace/man/dmacpy.1
}

break_man__object()
{
	sed -i 's/about\["fence"\]/about["event"]/' userspace/man/functions.awk
}

break_version__package()
{
	sed -i '1s/(.*)/(0.1.0)/' debian/changelog
}

break_version__changelog()
{
	sed -i '/^## \[0\.2\.0\]/d' CHANGELOG.md
}

break_version__header()
{
	sed -i '/define DMACPY_VERSION_MINOR/s/\t.*/\t9/' \
		userspace/include/dmacpy.h
}

break_shellcheck__script()
{
	# shellcheck disable=SC2016 # not to be expanded here
	echo 'echo $1' >>.ci/run
}

break_shellcheck__sourced()
{
	# shellcheck disable=SC2016 # not to be expanded here
	echo 'echo $1' >>qemu/lib.sh
}

break_binding__rule()
{
	sed -i '/^additionalProperties/d' "$binding"
}

break_binding__example()
{
	sed -i 's/^ *sram = .*/&colour = <1>;/' "$binding"
}

break_binding__board()
{
	sed -i 's/^\t\tdma-names = /\t\tcolour = <1>;\n&/' qemu/boards/zcu102.dts
}

break_binding__overlay()
{
	sed -i 's/^\t\tdma-names = /\t\tcolour = <1>;\n&/' \
		qemu/boards/versal.dtso
}

break_device_tree__warning()
{
	echo '/dts-v1/; / { node@1 { }; };' >>Documentation/board.dts
	# Split, as reuse takes it for the licence of this file.
	sed -i '1i// SPDX-License-''Identifier: GPL-2.0-only' \
		Documentation/board.dts
}

break_walls__user()
{
	echo 'int f(void __user *arg);' >>driver/dmacpy_job.h
}

break_walls__dmaengine()
{
	sed -i '0,/^#include/s//#include <linux\/dmaengine.h>\n&/' \
		driver/dmacpy_job.c
}

break_walls__genalloc()
{
	sed -i '0,/^#include/s//#include <linux\/genalloc.h>\n&/' \
		driver/dmacpy_export.c
}

break_walls__version()
{
	printf '#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)\n#endif\n' \
		>>driver/dmacpy_job.h
}

break_walls__version_in_test()
{
	echo 'int f(void) { return LINUX_VERSION_CODE; }' >>kunit/dmacpy_sim.c
}

break_walls__fence()
{
	echo '#define END(f) dma_fence_signal(f)' >>driver/dmacpy_job.h
}

break_syzkaller__member()
{
	sed -i '/refused_op/d' userspace/tests/syzkaller/dmacpy.txt
}

break_syzkaller__size()
{
	sed -i 's/^\trows.*/\trows\t\tint64/' userspace/tests/syzkaller/dmacpy.txt
}

break_syzkaller__flag()
{
	sed -i 's/, DMACPY_SUBMIT_EVENT//' userspace/tests/syzkaller/dmacpy.txt
}

break_includes__upwards()
{
	sed -i '0,/^#include "/s//#include "dmacpy_submit.h"\n&/' \
		driver/dmacpy_pool.c
}

break_includes__unknown()
{
	sed -i '0,/^#include "/s//#include "dmacpy_other.h"\n&/' \
		driver/dmacpy_pool.c
}

break_series__object()
{
	sed -i '/^object /s/dmacpy_export//' upstream/patches
}

break_series__gone()
{
	sed -i '/^object /s/dmacpy_export/& dmacpy_other/' upstream/patches
}

# add_functions FILE COUNT LINES
add_functions()
{
	awk -v count="$2" -v lines="$3" 'BEGIN {
		while (count--) {
			print "static void f" count "(void)\n{"
			for (i = 0; i < lines; i++)
				print "\tf();"
			print "}"
		}
	}' >>"$1"
}

break_lengths__longest()
{
	add_functions driver/dmacpy_drv.c 1 101
}

break_lengths__most()
{
	add_functions driver/dmacpy_drv.c 80 51
}

break_lengths__median()
{
	add_functions driver/dmacpy_drv.c 400 16
}

break_lengths__userspace()
{
	add_functions userspace/lib/job.c 1 101
}

break_documented__context()
{
	sed -i '0,/Context:/s///' driver/dmacpy_pool.c
}

break_documented__comment()
{
	printf '\nvoid f(void)\n{\n}\n' >>driver/dmacpy_pool.c
}

break_documented__page()
{
	sed -i '/dmacpy_plan\.c/d' Documentation/internals.rst
}

break_kernel_doc__parameter()
{
	sed -i '0,/^ \* @/s// * @no_/' driver/dmacpy_pool.c
}

break_kernel_doc__return()
{
	sed -i '0,/Return:/s//Result -/' driver/dmacpy_pool.c
}

break_kernel_doc__library()
{
	sed -i '0,/^ \* @/s// * @no_/' userspace/include/dmacpy.h
}

break_html__reference()
{
	echo "See :doc:\`nowhere\`." >>Documentation/guide.rst
}

break_html__table()
{
	sed -i '0,/^=* =.*/s//=== ===/' Documentation/driver.rst
}

break_html__identifier()
{
	sed -i 's/identifiers: dmacpy_get_info/&_more/' Documentation/uapi.rst
}

break_html__list()
{
	sed -i '0,/^ \*  - EINVAL/s// *  **EINVAL/' uapi/linux/dmacpy.h
}

break_snippets__readme()
{
	sed -i 's/dmacpy_job_submit(job, &how)/dmacpy_job_submit(job)/' README.md
}

break_snippets__rst()
{
	sed -i 's/\.op_count = 1/.op_counts = 1/' Documentation/uapi.rst
}

break_snippets__man()
{
	sed -i 's/^dmacpy_stream_open(device, /&0, /' userspace/man/libdmacpy.3
}

break_snippets__dts()
{
	sed -i 's/<&zdma1 0>/<\&zdma1>/' README.md
}

break_snippets__python()
{
	sed -i 's/) as array:/) as array/' Documentation/python.rst
}

break_snippets__sh()
{
	sed -i 's/^\tmake modules userspace/& (/' Documentation/without-board.rst
}

break_snippets__language()
{
	sed -i '0,/^\(...\)c$/s//\1/' README.md
}

break_snippets__options()
{
	sed -i 's/^\(\.\. code-block:: c\)$/&\n\t:caption: x.c\n\n\torphan;/' \
		Documentation/uapi.rst
}

break_snippets__recipe()
{
	sed -i '/:caption: rates/d' Documentation/tracing.rst
}

break_checkpatch__strict()
{
	echo 'extern int orphan;;' >>driver/dmacpy_job.h
}

break_checkpatch__userspace()
{
	echo 'static int orphan = 0;' >>userspace/lib/job.c
}

break_checkpatch__columns()
{
	printf '/* %080d */\n' 0 >>driver/dmacpy_job.h
}

break_sparse__declaration()
{
	echo 'int orphan;' >>driver/dmacpy_job.c
}

break_sparse__unused()
{
	echo 'static const int orphan = 1;' >>driver/dmacpy_job.c
}

break_in_tree__builtin()
{
	sed -i '/DMACPY/s/+=/-m +=/;s/obj-.*-m/obj-m/' driver/Kbuild
}

break_in_tree__module()
{
	sed -i s/tristate/bool/ Kconfig
}

break_in_tree__warning()
{
	printf '#ifndef MODULE\n#warning\n#endif\n' >>driver/dmacpy_job.c
}

break_in_tree__unit_test()
{
	echo 'int orphan;' >>kunit/dmacpy_buf_test.c
}

break_in_tree__no_block()
{
	printf '#ifndef CONFIG_BLOCK\n#warning\n#endif\n' >>driver/dmacpy_uring.c
}

break_in_tree__no_io_uring()
{
	printf '#ifndef CONFIG_IO_URING\n#warning\n#endif\n' \
		>>driver/dmacpy_uring.c
}

break_symbols__not_in_map()
{
	sed -i /dmacpy_job_run/d userspace/lib/libdmacpy.map
}

break_abi__removed()
{
	sed -i /dmacpy_job_run/d userspace/lib/libdmacpy.map
}

break_abi__type()
{
	sed -i 's/^\(DMACPY_API \)*int \(dmacpy_stream_flush\)/\1long \2/' \
		userspace/lib/stream.c userspace/include/dmacpy.h
}

break_abi__member()
{
	sed -i '/^struct dmacpy_plane {/,/^}/s/uint64_t stride/uint32_t stride/' \
		userspace/include/dmacpy.h
}

break_tool__option()
{
	sed -i 's/"options:.n"/&"  -x, --extra N  more\\n"/' \
		userspace/tools/info.c
}

break_engines__quirk()
{
	sed -i '/"rz-dmac"/d' driver/dmacpy_engine.c
}

break_engines__provider()
{
	sed -i '/   st_fdma.c/d' Documentation/engines.rst
}

break_tool__completion()
{
	sed -i '/--mode)/s/ uring//' userspace/completions/_dmacpy
}

break_tool__full_disk()
{
	sed -i 's/if (fclose(stdout))/if (false)/' userspace/tools/main.c
}

break_rpm__file()
{
	sed -i '/%{_mandir}\/man3/d' packaging/rpm/dmacpy.spec
}

break_rpm__dkms()
{
	sed -i '/^install -D/,/kunit/d' packaging/rpm/dmacpy.spec
}

break_recipes__licence()
{
	sed -i 's/md5=./md5=x/' packaging/yocto/dmacpy.inc
}

break_reuse__text()
{
	rm LICENSES/CC-BY-2.0.txt
}

break_version__recipe()
{
	sed -i 's/^DMACPY_VERSION.*/DMACPY_VERSION = 0/' \
		packaging/buildroot/dmacpy.mk
}

# prove NAME EXPECTED CHECK...: of these checks only the expected one fails
# in a copy of the tree that break_NAME has changed.
prove()
{
	local copy=$results/tree name=$1 expected=$2 failed
	shift 2
	copy_tree "$copy"
	failed=$(
		set +e +o pipefail
		cd "$copy" || exit
		top=$copy
		results=$(mktemp -d -p "$results")
		"break_$name"
		run_checks "$@" | sed -n 's/^not ok - //p' | sort | xargs
	)
	if [ "$failed" = "$expected" ]; then
		echo "ok - $name"
	else
		echo "not ok - $name: what fails is" "${failed:-nothing}"
	fi
}

# Without this one, the others could fail for any reason.
break_nothing()
{
	:
}

prove_all()
{
	local name check binding others
	binding=Documentation/devicetree/bindings/misc/linux,sram-dmacpy.yaml
	prove nothing '' "${build_checks[@]}" "${source_checks[@]}"
	for name in $(compgen -A function break_ | sed -n 's/^break_//;/__/p'); do
		check=${name%%__*}
		check=${check//_/-}
		[[ " ${build_checks[*]} ${source_checks[*]} " = *" $check "* ]] ||
			continue
		mapfile -t others < <(printf '%s\n' "${source_checks[@]}" |
			grep -vx -e "$check")
		prove "$name" "$check" "$check" "${others[@]}"
	done
}

self_test()
{
	prove_all | tee "$1"
	sed 's/ - .*//' "$1" | sort | uniq -c
	! grep -q '^not' "$1"
}
