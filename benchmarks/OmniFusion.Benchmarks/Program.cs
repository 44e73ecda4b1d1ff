using OmniFusion.Benchmarks;

switch (args.FirstOrDefault())
{
    case "gemm": GemmBench.Run(args[1..]); break;
    case "attention": AttentionBench.Run(args[1..]); break;
    default:
        Console.Error.WriteLine("usage: OmniFusion.Benchmarks gemm [quick] [best] [processor] [MxNxK] | attention [quick]");
        return 2;
}
return 0;
