# The KVM canary: a boot sector that does what a guest's kernel does, and says so on COM1.
#
#   as --64 -o canary.o canary.S
#   ld -m elf_x86_64 -Ttext=0x7c00 --oformat binary -o canary.img canary.o
#
# canary.hex holds the result; tests/unit/preflight/test_canary_code.py assembles and compares.
#
# A /dev/kvm that opens and a BIOS that prints prove little: some hosts interpret guest
# instructions one by one (about a million a second, and not all of them), so that a BIOS gets
# through and a Linux kernel hangs. Each stage here uses what such hosts lack, and prints a letter
# when it is done; the last letter heard tells where a host gave up:
#
#   B  the BIOS loaded this sector (real mode)
#   P  protected mode
#   L  long mode: CPUID, MSRs, four-level paging
#   S  SSE2 arithmetic
#   F  a page fault, mended by its handler, the access tried again
#   U  50 million steps of arithmetic in user mode under timer interrupts, back by SYSCALL
#
# Then comes the answer nine times a second, each after two timer interrupts waited for in HLT, so
# that a listener who attaches late hears it too. After eleven seconds it powers off.
#
# The timer runs as the BIOS left it, 18.2 times a second.
# Memory: 0x1000 PML4, 0x2000 PDPT, 0x3000 PD, 0x5000 IDT, 0x6000 TSS; stacks below 0x6f00 (user
# mode), 0x7000 (interrupts from it) and 0x7c00.

    .set COM1, 0x3f8
    # x = x * 1664525 + 1013904223 (mod 2^32), STEPS times from 0; the test works it out again
    .set STEPS, 50000000
    .set RESULT, 0x2dbb8280
    .set ANSWERS, 100
    .set TICKS, 2

    .set KERNEL_CODE, 0x08
    .set DATA, 0x10
    .set CODE_32, 0x18
    .set USER_DATA, 0x20 + 3
    .set USER_CODE, 0x28 + 3
    .set TASK, 0x30
    .set INTERRUPT_GATE, 0x8e

    .code16
    .globl _start
_start:
    cli
    cld
    xorl %eax, %eax
    movw %ax, %ds
    movw %ax, %es
    # Clear 0x1000-0x6fff, then map the first GiB for user mode, in 2 MiB pages.
    movw $0x1000, %di
    movw $0x1800, %cx
    rep stosl
    movw $0x2007, 0x1000
    movw $0x3007, 0x2000
    movw $0x3000, %di
    movb $0x87, %al
1:  stosl
    addw $4, %di
    addl $0x200000, %eax
    cmpw $0x4000, %di
    jb 1b
    # Handlers lie below 64 KiB, so the upper halves of the gates stay 0.
    movl $fault + (KERNEL_CODE << 16), 0x5000 + 14 * 16
    movb $INTERRUPT_GATE, 0x5000 + 14 * 16 + 5
    movl $timer + (KERNEL_CODE << 16), 0x5000 + 32 * 16
    movb $INTERRUPT_GATE, 0x5000 + 32 * 16 + 5
    movw $0x7000, 0x6000 + 4                # RSP0 of the TSS

    movw $COM1, %dx
    movb $'B', %al
    outb %al, %dx

    lidt idt_pointer
    lgdt gdt_pointer
    movl %cr0, %eax
    orb $1, %al                             # PE
    movl %eax, %cr0
    ljmp $CODE_32, $protected

    .code32
protected:
    movb $'P', %al
    outb %al, %dx
    movw $DATA, %ax
    movw %ax, %ds
    movw %ax, %ss
    movl $0x7c00, %esp

    movl $0x80000001, %eax
    cpuid
    btl $29, %edx                           # long mode
    jnc stop
    movl $0x1000, %eax
    movl %eax, %cr3
    movl $0x620, %eax                       # PAE, OSFXSR, OSXMMEXCPT
    movl %eax, %cr4
    movl $0xc0000080, %ecx                  # EFER: SCE, LME
    rdmsr
    orl $0x101, %eax
    wrmsr
    movl %cr0, %eax
    orl $0x80010002, %eax                   # PG, WP, MP
    movl %eax, %cr0
    ljmp $KERNEL_CODE, $long
stop:                                       # the same bytes in every mode
    cli
    hlt
    jmp stop

    .code64
fault:
    movw $0x3007, 0x2008                    # PDPT[1]: the same GiB once more
    popq %rcx                               # error code
    iretq
timer:
    incl %ebp
    pushq %rax
    movb $0x20, %al
    outb %al, $0x20
    popq %rax
    iretq

long:
    movw $COM1, %dx
    movb $'L', %al
    outb %al, %dx

    movd %eax, %xmm0
    pshufd $0, %xmm0, %xmm1
    paddd %xmm0, %xmm1
    movd %xmm1, %ecx
    addl %eax, %eax
    cmpl %eax, %ecx
    jne stop
    movb $'S', %al
    outb %al, %dx

    cmpw $0xaa55, 0x40000000 + signature    # not mapped yet: `fault` sees to it
    jne stop
    movb $'F', %al
    outb %al, %dx

    # Interrupt controller: vectors from 32, the timer alone.
    movb $0x11, %al
    outb %al, $0x20
    movb $32, %al
    outb %al, $0x21
    movb $4, %al
    outb %al, $0x21
    movb $1, %al
    outb %al, $0x21
    movb $0xfe, %al
    outb %al, $0x21

    movw $TASK, %ax
    ltr %ax
    movl $0xc0000081, %ecx                  # STAR: SYSCALL's selectors
    movl $KERNEL_CODE, %edx
    wrmsr
    incl %ecx                               # LSTAR: where it goes
    xorl %edx, %edx
    movl $back, %eax
    wrmsr
    pushq $USER_DATA
    pushq $0x6f00
    pushq $0x202                            # interrupts on
    pushq $USER_CODE
    pushq $user
    iretq
user:
    xorl %eax, %eax
    movl $STEPS, %edi
2:  imull $1664525, %eax, %eax
    addl $1013904223, %eax
    movl %eax, (%rsp)
    decl %edi
    jnz 2b
    syscall
back:
    cmpl $RESULT, (%rsp)
    jne stop
    movw $COM1, %dx
    movb $'U', %al
    outb %al, %dx

    movb $ANSWERS, %bl
say:
    xorl %ebp, %ebp
3:  hlt
    cmpl $TICKS, %ebp
    jb 3b
    movl $answer, %esi
4:  lodsb
    outb %al, %dx
    cmpb $'\n', %al
    jne 4b
    decb %bl
    jnz say
    movw $0x604, %dx                        # ACPI power off, where SeaBIOS puts PM1a_CNT
    movw $0x2000, %ax
    outw %ax, %dx
    jmp say

answer:
    .ascii "labctl-canary ok\r\n"
idt_pointer:
    .word 0xfff
    .long 0x5000
gdt:                                        # the null descriptor's room holds the pointer
gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt
    .word 0
    .quad 0x00209a0000000000                # KERNEL_CODE
    .quad 0x00cf92000000ffff                # DATA
    .quad 0x00cf9a000000ffff                # CODE_32
    .quad 0x00cff2000000ffff                # USER_DATA
    .quad 0x0020fa0000000000                # USER_CODE
    .quad 0x0000890060000067, 0             # TASK: 0x67 bytes at 0x6000
gdt_end:
    .org 510
signature:
    .word 0xaa55
