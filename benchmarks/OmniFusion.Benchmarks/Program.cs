using OmniFusion.Benchmarks;

switch (args.FirstOrDefault())
{
    case "gemm": GemmBench.Run(args[1..]); break;
    case "attention": AttentionBench.Run(args[1..]); break;
    case "train": TrainBench.Run(args[1..]); break;
    case "decode": DecodeBench.Run(args[1..]); break;
    case "stream" when args.Contains("hour"): HourBench.Run(); break;
    case "stream": StreamBench.Run(args[1..]); break;
    default:
        Console.Error.WriteLine("usage: OmniFusion.Benchmarks gemm [quick] [best] [processor] [MxNxK] | attention [quick]");
        Console.Error.WriteLine("       | train [processor] [recognizer] [translator] [fusion] | decode [processor] | stream [processor | hour]");
        return 2;
}
return 0;
